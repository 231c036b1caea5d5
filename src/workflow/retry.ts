/** Retry entries: reads them, and checks them one by one and together. */
import { type Diagnostic, problem } from './diagnostic.js';
import { readRetryReference, type WorkflowReference } from './reference.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';
import type { RetryEntry, RetryOverrides } from './workflow.js';
import { childOf, entryOf, mappingsIn, type YamlEntry, type YamlList, type YamlMap } from './yaml-node.js';

/** A retry entry whose called workflow, if any, is not loaded yet. */
export interface UnresolvedRetryEntry {
  readonly when:
    | Exclude<RetryEntry['when'], { readonly validate: unknown }>
    | { readonly validate: WorkflowReference };
  readonly overrides: RetryOverrides;
}

const conditions = ['attempt', 'not', 'validate', 'exit'] as const;
const overrideKeys = ['agent', 'session', 'worktree', 'prompt'] as const;

/** Reads the entries as data. Call this only if the entries have no problems. */
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
  /** Gates that the step has without declaring them. */
  readonly implicit: readonly string[];
}

/** Problems of the entries and between them. The schema checks the type of each value. */
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
      ? `A retry entry needs one condition. Add ${allowed}.`
      : `This retry entry has the conditions ${present.map(({ key }) => `\`${key}\``).join(' and ')}. Write one entry for each.`;
  return [problem('retry-condition', present[1]?.at ?? entry.at, message)];
}

function withProblems(entry: YamlMap): readonly Diagnostic[] {
  const inputs = entryOf(entry, 'with');
  if (inputs === undefined || entryOf(entry, 'validate') !== undefined) return [];
  const message =
    '`with` passes inputs to the workflow of `validate`, but this entry has no `validate`. Remove `with`.';
  return [problem('misplaced-key', inputs.at, message)];
}

function unusedOverrideProblems(entry: YamlMap): readonly Diagnostic[] {
  if (entryOf(entry, 'exit') === undefined) return [];
  const unused = entry.entries.filter(({ key }) => overrideKeys.some((one) => one === key));
  return unused.map(({ key, at }) =>
    problem(
      'unused-override',
      at,
      `\`${key}\` has no effect in an entry with \`exit\`. Move it to an entry with \`attempt\`.`,
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
      return [
        problem(
          'retry-condition',
          at,
          `\`not\` must be \`gate.NAME\`, but is "${excerpt(text)}". Put \`gate.\` before the name of a gate.`,
        ),
      ];
    }
    if (declared.includes(gate) || implicit.includes(gate)) return [];
    const gatesHint =
      declared.length === 0
        ? ' It has no gates. Remove this entry.'
        : ` Use one of: ${declared.map(excerpt).join(', ')}.`;
    const hint = didYouMean(gate, declared) || gatesHint;
    return [
      problem(
        'unknown-gate-name',
        at,
        `The step has no gate \`${excerpt(gate)}\`, so this condition never applies.${hint}`,
      ),
    ];
  });
}

function orderProblems(entries: readonly YamlMap[]): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  let highest = 0;
  for (const entry of entries) {
    const attempt = numberOf(entry, 'attempt');
    const at = childOf(entry, 'attempt')?.at;
    if (attempt === undefined || at === undefined) continue;
    const message = `The \`attempt\` numbers must increase from entry to entry, but ${attempt} follows ${highest}. Reorder the entries.`;
    if (attempt <= highest && attempt > 0) problems.push(problem('retry-order', at, message));
    highest = Math.max(highest, attempt);
  }
  return problems;
}

function exitProblems(list: YamlList, entries: readonly YamlMap[]): readonly Diagnostic[] {
  if (list.items.length === 0) return [];
  const exits = entries.flatMap((entry) => numberOf(entry, 'exit') ?? []);
  const maxAttempts = Math.max(0, ...exits);
  if (maxAttempts === 0) {
    // The schema reports an `exit` that is not a whole number.
    if (entries.some((entry) => entryOf(entry, 'exit') !== undefined && numberOf(entry, 'exit') !== 0))
      return [];
    const message = '`retry` has no entry that limits the attempts. Add an entry such as `- exit: 3`.';
    return [problem('retry-without-exit', list.at, message)];
  }
  return [...entriesAfterExitProblems(entries), ...attemptsBeyondExitProblems(entries, maxAttempts)];
}

function entriesAfterExitProblems(entries: readonly YamlMap[]): readonly Diagnostic[] {
  const last = entries.findLastIndex((entry) => entryOf(entry, 'exit') !== undefined);
  const message =
    'This entry follows the last `exit` and never applies. Move it before `exit`, or remove it.';
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
        `\`exit: ${maxAttempts}\` ends the step before attempt ${attempt}, so this entry applies only in a re-run. Raise \`exit\`, or remove this entry.`,
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
