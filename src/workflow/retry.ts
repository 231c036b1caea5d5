/** Retry entries: what each says, and what must hold between them. */
import { type Diagnostic, problem } from './diagnostic.js';
import { readRetryReference, type WorkflowReference } from './reference.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';
import type { RetryEntry, RetryOverrides } from './workflow.js';
import { childOf, entryOf, mappingsIn, type YamlEntry, type YamlList, type YamlMap } from './yaml-node.js';

/** An entry before the workflow that it may call is there. */
export interface UnresolvedRetryEntry {
  readonly when:
    | Exclude<RetryEntry['when'], { readonly validate: unknown }>
    | { readonly validate: WorkflowReference };
  readonly overrides: RetryOverrides;
}

const conditions = ['attempt', 'not', 'validate', 'exit'] as const;
const overrideKeys = ['agent', 'session', 'worktree', 'prompt'] as const;

/** The entries as data. To be asked only when nothing is wrong with them. */
export function readRetry(list: YamlList): readonly UnresolvedRetryEntry[] {
  return mappingsIn(list).flatMap((entry) => {
    const when = readCondition(entry);
    return when === undefined ? [] : [{ when, overrides: 'exit' in when ? {} : readOverrides(entry) }];
  });
}

function readCondition(entry: YamlMap): UnresolvedRetryEntry['when'] | undefined {
  const attempt = numberOf(entry, 'attempt');
  const exit = numberOf(entry, 'exit');
  const gate = gateNameIn(textOf(entry, 'not') ?? '');
  if (attempt !== undefined) return { attempt };
  if (exit !== undefined) return { exit };
  const validate = readRetryReference(entry);
  if (validate !== undefined) return { validate };
  return gate === undefined ? undefined : { not: gate };
}

function readOverrides(entry: YamlMap): RetryOverrides {
  const texts = overrideKeys.flatMap((key) => {
    const text = textOf(entry, key);
    return text === undefined ? [] : [[key, text] as const];
  });
  return Object.fromEntries(texts);
}

interface StepGateNames {
  readonly declared: readonly string[];
  /** Those that the step has without naming them. */
  readonly implicit: readonly string[];
}

/** Faults of the entries taken together; that each value is of its kind is for the schema to say. */
export function retryProblems(list: YamlList, gates: StepGateNames): readonly Diagnostic[] {
  const entries = mappingsIn(list);
  const each = entries.flatMap((entry) => [
    ...conditionProblems(entry),
    ...withProblems(entry),
    ...unusedOverrideProblems(entry),
  ]);
  return [
    ...each,
    ...gateNameProblems(entries, gates),
    ...orderProblems(entries),
    ...exitProblems(list, entries),
  ];
}

function conditionProblems(entry: YamlMap): readonly Diagnostic[] {
  const present = entry.entries.filter(({ key }) => conditions.some((one) => one === key));
  const allowed = '`attempt`, `not`, `validate` or `exit`';
  if (present.length === 1) return [];
  const message =
    present.length === 0
      ? `A retry entry needs one condition: ${allowed}.`
      : `A retry entry has one condition, not ${present.map(({ key }) => `\`${key}\``).join(' and ')}: make an entry of each.`;
  return [problem('retry-condition', present[1]?.at ?? entry.at, message)];
}

function withProblems(entry: YamlMap): readonly Diagnostic[] {
  const inputs = entryOf(entry, 'with');
  if (inputs === undefined || entryOf(entry, 'validate') !== undefined) return [];
  const message = '`with` hands inputs to the workflow of `validate`, which this entry does not have.';
  return [problem('misplaced-key', inputs.at, message)];
}

function unusedOverrideProblems(entry: YamlMap): readonly Diagnostic[] {
  if (entryOf(entry, 'exit') === undefined) return [];
  const unused = entry.entries.filter(({ key }) => overrideKeys.some((one) => one === key));
  return unused.map(({ key, at }) =>
    problem(
      'unused-override',
      at,
      `\`${key}\` has no effect beside \`exit\`: move it to an entry with \`attempt\`.`,
    ),
  );
}

function gateNameProblems(
  entries: readonly YamlMap[],
  { declared, implicit }: StepGateNames,
): readonly Diagnostic[] {
  return entries.flatMap((entry) => {
    const text = textOf(entry, 'not');
    const at = childOf(entry, 'not')?.at;
    if (text === undefined || text.trim() === '' || at === undefined) return [];
    const gate = gateNameIn(text);
    if (gate === undefined) {
      return [problem('retry-condition', at, `\`not\` must be \`gate.NAME\`, but is "${excerpt(text)}".`)];
    }
    if (declared.includes(gate) || implicit.includes(gate)) return [];
    const gatesHint = declared.length === 0 ? ' It has no gates.' : ` Its gates are: ${declared.join(', ')}.`;
    const hint = didYouMean(gate, declared) || gatesHint;
    return [
      problem(
        'unknown-gate-name',
        at,
        `The step has no gate \`${excerpt(gate)}\`, so this never holds.${hint}`,
      ),
    ];
  });
}

function orderProblems(entries: readonly YamlMap[]): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  let before = 0;
  for (const entry of entries) {
    const attempt = numberOf(entry, 'attempt');
    const at = childOf(entry, 'attempt')?.at;
    if (attempt === undefined || at === undefined) continue;
    const message = `The \`attempt\` numbers must rise from entry to entry, but ${attempt} comes after ${before}.`;
    if (attempt <= before && attempt > 0) problems.push(problem('retry-order', at, message));
    before = Math.max(before, attempt);
  }
  return problems;
}

function exitProblems(list: YamlList, entries: readonly YamlMap[]): readonly Diagnostic[] {
  if (list.items.length === 0) return [];
  const exits = entries.flatMap((entry) => numberOf(entry, 'exit') ?? []);
  const maxAttempts = Math.max(0, ...exits);
  if (maxAttempts === 0) {
    // An `exit` that is no such number has been told by the schema.
    if (entries.some((entry) => entryOf(entry, 'exit') !== undefined && numberOf(entry, 'exit') !== 0))
      return [];
    const message =
      '`retry` needs an entry such as `- exit: 3`, which says how many attempts there are in all.';
    return [problem('retry-without-exit', list.at, message)];
  }
  return [...entriesAfterExitProblems(entries), ...attemptsBeyondExitProblems(entries, maxAttempts)];
}

function entriesAfterExitProblems(entries: readonly YamlMap[]): readonly Diagnostic[] {
  const last = entries.findLastIndex((entry) => entryOf(entry, 'exit') !== undefined);
  const message = 'This entry comes after the last `exit`: put it before, or remove it.';
  return entries.slice(last + 1).map((entry) => problem('retry-unreachable', entry.at, message));
}

function attemptsBeyondExitProblems(entries: readonly YamlMap[], maxAttempts: number): readonly Diagnostic[] {
  return entries.flatMap((entry) => {
    const attempt = numberOf(entry, 'attempt');
    const at = childOf(entry, 'attempt')?.at;
    if (attempt === undefined || at === undefined || attempt <= maxAttempts) return [];
    return [
      problem(
        'retry-unreachable',
        at,
        `Only a re-run comes to attempt ${attempt}: \`exit: ${maxAttempts}\` ends the step before.`,
      ),
    ];
  });
}

function scalarOf(
  entry: YamlMap,
  key: string,
): Extract<YamlEntry['value'], { kind: 'scalar' }>['value'] | undefined {
  const value = childOf(entry, key);
  return value?.kind === 'scalar' ? value.value : undefined;
}

function numberOf(entry: YamlMap, key: string): number | undefined {
  const value = scalarOf(entry, key);
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}

function textOf(entry: YamlMap, key: string): string | undefined {
  const value = scalarOf(entry, key);
  return typeof value === 'string' ? value : undefined;
}

function gateNameIn(condition: string): string | undefined {
  return /^\s*gate\.(\S+)\s*$/.exec(condition)?.[1];
}
