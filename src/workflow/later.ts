/**
 * What the language has and this version of the action does not run: refused by name, never ignored, for a
 * budget that is not kept or a task list that is not worked off would be worse than an error. A row goes
 * away when its part is built and its key comes into `syntax.ts`.
 */
import { entryOf, type Tree } from './tree.js';

/** The places in which keys stand. */
export type Place = 'root' | 'step' | 'get' | 'run' | 'gate' | 'retry' | 'session';

/** Key → what to do instead, as whole sentences; empty where there is nothing. */
type Keys = Readonly<Record<string, string | undefined>>;

const group = 'Write its steps one after the other.';
const call = 'Copy the steps of that workflow in here.';
const context = 'Name the files and commands in the prompt.';

const keys: Readonly<Record<Place, Keys>> = {
  root: { max_budget: '', max_timeout: '', max_tokens: '', 'on-pause': '' },
  step: {
    steps: group,
    parallel: group,
    workflow: call,
    with: call,
    context,
    worktree: '',
    guard: '',
    hitl: '',
  },
  get: { context, worktree: '', workflow: call },
  run: { guard: '', hitl: '' },
  gate: {
    validate: 'Put a step of `type: validate` after this one.',
  },
  retry: { validate: 'Use `not: gate.NAME` with one of the gates of the step.', with: '' },
  session: { run: '' },
};

const types: Keys = {
  artifact: 'Use `type: code` and let the agent write a file.',
  search: '',
  scrape: '',
  surf: '',
  use: '',
  doc: '',
};

const refused = (what: string, instead: string): string =>
  `${what} belongs to the language, but this version of the action does not run it.${instead && ` ${instead}`}`;

/** The message for a key that does not run yet; `undefined` for any other key. */
export function laterKey(place: Place, key: string): string | undefined {
  const instead = Object.hasOwn(keys[place], key) ? keys[place][key] : undefined;
  return instead === undefined ? undefined : refused(`\`${key}\``, instead);
}

/** The same for a gate. */
export function laterGate(type: string): string | undefined {
  const instead = Object.hasOwn(keys.gate, type) ? keys.gate[type] : undefined;
  return instead === undefined ? undefined : refused(`The gate \`${type}\``, instead);
}

/** The same for the value of a key that itself is known. */
export function laterValue(key: string, value: Tree): string | undefined {
  if (key === 'prompt' && entryOf(value, 'file') !== undefined) {
    return refused('`prompt: {file: PATH}`', 'Write the prompt into the workflow.');
  }
  if (value.kind !== 'scalar' || typeof value.value !== 'string') return undefined;
  const word = value.value.trim();
  if (key === 'agent' && word === 'pass') {
    return refused('`agent: pass`', 'A step with only `name` and `gate` runs gates without an agent.');
  }
  const instead = key === 'type' && Object.hasOwn(types, word) ? types[word] : undefined;
  return instead === undefined ? undefined : refused(`\`type: ${word}\``, instead);
}
