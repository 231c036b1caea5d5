/** Retry entries: what each says, and what must hold between them. */
import { type Diagnostic, fault } from './diagnostic.js';
import { calledByRetry, type Reference } from './reference.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';
import { childOf, type Entry, entryOf, type ListTree, type MapTree, mappingsIn } from './tree.js';
import type { RetryEntry, RetryOverrides } from './workflow.js';

/** An entry before the workflow that it may call is there. */
export interface WrittenRetry {
  readonly when:
    | Exclude<RetryEntry['when'], { readonly validate: unknown }>
    | { readonly validate: Reference };
  readonly overrides: RetryOverrides;
}

const conditions = ['attempt', 'not', 'validate', 'exit'] as const;
const overrideKeys = ['agent', 'session', 'worktree', 'prompt'] as const;

/** The entries as data. To be asked only when nothing is wrong with them. */
export function readRetry(list: ListTree): readonly WrittenRetry[] {
  return mappingsIn(list).flatMap((entry) => {
    const when = readCondition(entry);
    return when === undefined ? [] : [{ when, overrides: 'exit' in when ? {} : readOverrides(entry) }];
  });
}

function readCondition(entry: MapTree): WrittenRetry['when'] | undefined {
  const attempt = numberOf(entry, 'attempt');
  const exit = numberOf(entry, 'exit');
  const gate = gateOf(textOf(entry, 'not') ?? '');
  if (attempt !== undefined) return { attempt };
  if (exit !== undefined) return { exit };
  const validate = calledByRetry(entry);
  if (validate !== undefined) return { validate };
  return gate === undefined ? undefined : { not: gate };
}

function readOverrides(entry: MapTree): RetryOverrides {
  const texts = overrideKeys.flatMap((key) => {
    const text = textOf(entry, key);
    return text === undefined ? [] : [[key, text] as const];
  });
  return Object.fromEntries(texts);
}

interface GateNames {
  readonly named: readonly string[];
  /** Those that the step has without naming them. */
  readonly own: readonly string[];
}

/** Faults of the entries taken together; that each value is of its kind is for the schema to say. */
export function retryFaults(list: ListTree, gates: GateNames): readonly Diagnostic[] {
  const entries = mappingsIn(list);
  const each = entries.flatMap((entry) => [
    ...conditionFault(entry),
    ...withFault(entry),
    ...unusedOverrides(entry),
  ]);
  return [...each, ...gateNameFaults(entries, gates), ...orderFaults(entries), ...exitFaults(list, entries)];
}

function conditionFault(entry: MapTree): readonly Diagnostic[] {
  const there = entry.entries.filter(({ key }) => conditions.some((one) => one === key));
  const allowed = '`attempt`, `not`, `validate` or `exit`';
  if (there.length === 1) return [];
  const message =
    there.length === 0
      ? `A retry entry needs one condition: ${allowed}.`
      : `A retry entry has one condition, not ${there.map(({ key }) => `\`${key}\``).join(' and ')}: make an entry of each.`;
  return [fault('retry-condition', there[1]?.at ?? entry.at, message)];
}

function withFault(entry: MapTree): readonly Diagnostic[] {
  const inputs = entryOf(entry, 'with');
  if (inputs === undefined || entryOf(entry, 'validate') !== undefined) return [];
  const message = '`with` hands inputs to the workflow of `validate`, which this entry does not have.';
  return [fault('misplaced-key', inputs.at, message)];
}

function unusedOverrides(entry: MapTree): readonly Diagnostic[] {
  if (entryOf(entry, 'exit') === undefined) return [];
  const unused = entry.entries.filter(({ key }) => overrideKeys.some((one) => one === key));
  return unused.map(({ key, at }) =>
    fault(
      'unused-override',
      at,
      `\`${key}\` has no effect beside \`exit\`: move it to an entry with \`attempt\`.`,
    ),
  );
}

function gateNameFaults(entries: readonly MapTree[], { named, own }: GateNames): readonly Diagnostic[] {
  return entries.flatMap((entry) => {
    const text = textOf(entry, 'not');
    const at = childOf(entry, 'not')?.at;
    if (text === undefined || text.trim() === '' || at === undefined) return [];
    const gate = gateOf(text);
    if (gate === undefined) {
      return [fault('retry-condition', at, `\`not\` must be \`gate.NAME\`, but is "${excerpt(text)}".`)];
    }
    if (named.includes(gate) || own.includes(gate)) return [];
    const there = named.length === 0 ? ' It has no gates.' : ` Its gates are: ${named.join(', ')}.`;
    const hint = didYouMean(gate, named) || there;
    return [
      fault(
        'unknown-gate-name',
        at,
        `The step has no gate \`${excerpt(gate)}\`, so this never holds.${hint}`,
      ),
    ];
  });
}

function orderFaults(entries: readonly MapTree[]): readonly Diagnostic[] {
  const faults: Diagnostic[] = [];
  let before = 0;
  for (const entry of entries) {
    const attempt = numberOf(entry, 'attempt');
    const at = childOf(entry, 'attempt')?.at;
    if (attempt === undefined || at === undefined) continue;
    const message = `The \`attempt\` numbers must rise from entry to entry, but ${attempt} comes after ${before}.`;
    if (attempt <= before && attempt > 0) faults.push(fault('retry-order', at, message));
    before = Math.max(before, attempt);
  }
  return faults;
}

function exitFaults(list: ListTree, entries: readonly MapTree[]): readonly Diagnostic[] {
  if (list.items.length === 0) return [];
  const exits = entries.flatMap((entry) => numberOf(entry, 'exit') ?? []);
  const most = Math.max(0, ...exits);
  if (most === 0) {
    // An `exit` that is no such number has been told by the schema.
    if (entries.some((entry) => entryOf(entry, 'exit') !== undefined && numberOf(entry, 'exit') !== 0))
      return [];
    const message =
      '`retry` needs an entry such as `- exit: 3`, which says how many attempts there are in all.';
    return [fault('retry-without-exit', list.at, message)];
  }
  return [...afterExit(entries), ...beyondExit(entries, most)];
}

function afterExit(entries: readonly MapTree[]): readonly Diagnostic[] {
  const last = entries.findLastIndex((entry) => entryOf(entry, 'exit') !== undefined);
  const message = 'This entry comes after the last `exit`: put it before, or remove it.';
  return entries.slice(last + 1).map((entry) => fault('retry-unreachable', entry.at, message));
}

function beyondExit(entries: readonly MapTree[], most: number): readonly Diagnostic[] {
  return entries.flatMap((entry) => {
    const attempt = numberOf(entry, 'attempt');
    const at = childOf(entry, 'attempt')?.at;
    if (attempt === undefined || at === undefined || attempt <= most) return [];
    return [
      fault(
        'retry-unreachable',
        at,
        `Only a re-run comes to attempt ${attempt}: \`exit: ${most}\` ends the step before.`,
      ),
    ];
  });
}

function scalarOf(
  entry: MapTree,
  key: string,
): Extract<Entry['value'], { kind: 'scalar' }>['value'] | undefined {
  const value = childOf(entry, key);
  return value?.kind === 'scalar' ? value.value : undefined;
}

function numberOf(entry: MapTree, key: string): number | undefined {
  const value = scalarOf(entry, key);
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}

function textOf(entry: MapTree, key: string): string | undefined {
  const value = scalarOf(entry, key);
  return typeof value === 'string' ? value : undefined;
}

function gateOf(condition: string): string | undefined {
  return /^\s*gate\.(\S+)\s*$/.exec(condition)?.[1];
}
