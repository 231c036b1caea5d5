/**
 * Inputs that are one text: each function turns the trimmed text of an input into a typed value, or throws a
 * `UserError` that names the input, the value and what is allowed.
 */
import { UserError, UserErrors } from '../failure.js';
import { isRunnerVariable } from '../security/secret-names.js';
import { isSubjectName } from '../security/subject.js';
import { readDuration } from '../workflow/duration.js';
import { readAmount } from '../workflow/numbers.js';
import { notAllowed, quoted, useOneOf } from './quote.js';

export function readWorkflow(text: string): string {
  if (text !== '') return text;
  throw new UserError(
    'Input `workflow` is empty. Give the path of a workflow file (`.yaml`, `.yml`) or the name of one in `.gump/workflows`.',
  );
}

/** The text of `{spec}`, or the file that contains it. */
export type Spec =
  | { readonly from: 'text'; readonly text: string }
  | { readonly from: 'file'; readonly file: string };

export function readSpec(text: string, file: string): Spec | undefined {
  if (text !== '' && file !== '')
    throw new UserError(
      `Inputs \`spec\` and \`spec-file\` (${quoted(file)}) are both set. Set only one of them.`,
    );
  if (file !== '') return { from: 'file', file };
  return text === '' ? undefined : { from: 'text', text };
}

/** The first of `allowed` is the default, used for an empty text. */
export function readChoice<T extends string>(name: string, text: string, allowed: readonly [T, ...T[]]): T {
  const found = text === '' ? allowed[0] : allowed.find((one) => one === text);
  if (found !== undefined) return found;
  throw notAllowed(name, text, useOneOf(allowed));
}

/** The spellings of YAML 1.2 and of `core.getBooleanInput`. */
export function readBoolean(name: string, text: string): boolean {
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)?$/.test(text)) return false;
  throw notAllowed(name, text, useOneOf(['true', 'false']));
}

/** In US dollars. */
export function readMaxBudget(text: string): number | undefined {
  if (text === '') return undefined;
  const amount = readAmount(text);
  if (amount !== undefined && amount > 0) return amount;
  throw notAllowed('max-budget', text, 'Give US dollars, such as `5` or `2.50`.');
}

/** In milliseconds. */
export function readMaxTime(text: string): number | undefined {
  if (text === '') return undefined;
  const ms = readDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw notAllowed('max-time', text, 'Give a duration, such as `90s`, `50m` or `1h30m`.');
}

/** The agent after `fallback:`. `undefined`: the run waits. */
export function readOnLimit(text: string): string | undefined {
  if (text === '' || text === 'stop') return undefined;
  const agent = /^fallback:\s*(\S+)$/.exec(text)?.[1];
  if (agent !== undefined && agent !== 'pass' && !agent.includes('{')) return agent;
  throw notAllowed(
    'on-limit',
    text,
    'Use `stop`, or `fallback:AGENT` with the name of an agent, such as `fallback:codex`.',
  );
}

/** In milliseconds; 0: never. */
export function readCheckpointInterval(text: string): number {
  if (text === '') return 15 * 60_000;
  const ms = text === '0' ? 0 : readDuration(text);
  if (ms !== undefined) return ms;
  throw notAllowed('checkpoint-interval', text, 'Give a duration, such as `90s`, `15m` or `1h`, or `0`.');
}

export type StateStoreInput =
  /** `auto`: the cache where it can be written, otherwise artifacts. */
  { readonly kind: 'auto' | 'cache' | 'artifact' } | { readonly kind: 'directory'; readonly path: string };

export function readStateStore(text: string): StateStoreInput {
  if (text === '') return { kind: 'auto' };
  if (text === 'auto' || text === 'cache' || text === 'artifact') return { kind: text };
  const path = /^directory:(.*)$/.exec(text)?.[1]?.trim();
  if (path) return { kind: 'directory', path };
  throw notAllowed(
    'state-store',
    text,
    'Use `auto`, `cache`, `artifact`, or `directory:PATH` with a path on this machine.',
  );
}

/** Names of variables and globs, one per line. */
export function readPassEnv(text: string): readonly string[] {
  const entries = linesOf(text);
  const problems = entries.flatMap(passEnvProblems);
  if (problems.length > 0) throw new UserErrors(problems);
  return [...new Set(entries)];
}

/** Logins of bots, one per line. `*` is refused: then anybody could start agents through some bot. */
export function readAllowedBots(text: string): readonly string[] {
  const names = linesOf(text);
  const invalid = names.filter((name) => !/^[a-z\d][a-z\d-]*(?:\[bot\])?$/i.test(name));
  if (invalid.length === 0) return [...new Set(names)];
  throw new UserErrors(
    invalid.map(
      (name) =>
        `Input \`allowed-bots\`: ${quoted(name)} is not allowed. Give the login of each bot, one per line, such as \`renovate[bot]\`.`,
    ),
  );
}

export function readSubject(text: string): string | undefined {
  if (text === '' || isSubjectName(text)) return text || undefined;
  throw notAllowed(
    'subject',
    text,
    'Give `pr-N` or `issue-N` with a number, or a name of 1 to 100 characters from `A-Z a-z 0-9 . _ / -` ' +
      'that does not begin with `branch-`, `tag-` or `fork-`.',
  );
}

/** Paths of steps, one per line. */
export function readCommentResults(text: string): readonly string[] {
  return [...new Set(linesOf(text))];
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function passEnvProblems(entry: string): readonly string[] {
  if (!/^[\w.*?-]+$/.test(entry)) {
    return [
      `Input \`pass-env\`: ${quoted(entry)} is not allowed. Give names of variables or globs with \`*\` and \`?\`, one per line.`,
    ];
  }
  if (!isRunnerVariable(entry)) return [];
  return [
    `Input \`pass-env\`: ${quoted(entry)} is not allowed, because it belongs to the runner or the action ` +
      '(`ACTIONS_*`, `INPUT_*`, `STATE_*`, `GITHUB_ENV`, `GITHUB_PATH`, `GITHUB_OUTPUT`, `GITHUB_STATE`, `GITHUB_STEP_SUMMARY`). Remove it.',
  ];
}

export function readMatrix(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = text === '' ? null : parseJson(text);
  if (value === null) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw notAllowed('matrix', text, `Remove it: its default is \`\${{ toJSON(matrix) }}\`.`);
}

/** `undefined` if the text is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const jobStatuses = ['success', 'failure', 'cancelled'] as const;

export function readJobStatus(text: string): (typeof jobStatuses)[number] | undefined {
  return text === '' ? undefined : readChoice('job-status', text, jobStatuses);
}
