/**
 * The retry policy: which overrides apply to an attempt. A pure function of the step's history, so that a re-run
 * on another machine gets the same overrides.
 *
 * RETRY1 A value applies until another matching entry sets it. If several entries match, later entries take precedence.
 * RETRY2 An entry with `session: new` starts a fresh session only at the first attempt that it matches (S6).
 */

import type { Attempt } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { RetryEntry } from '../workflow/workflow.js';

export interface EffectiveRetryOverrides {
  readonly agent?: string;
  readonly prompt?: string;
  readonly freshSession: boolean;
  readonly resetWorktree: boolean;
}

interface RetryProgress {
  readonly values: RetryEntry['overrides'];
  readonly matched: ReadonlySet<number>;
  readonly freshSession: boolean;
}

/** `<attempt>/<entry>` → whether the workflow of the entry passed before that attempt. */
export type RetryVerdicts = ReadonlyMap<string, boolean>;

/** The overrides for attempt `number` (from 1), given the attempts before it. */
export function computeRetryOverrides(
  entries: readonly RetryEntry[],
  history: readonly Attempt[],
  number: number,
  verdicts: RetryVerdicts = new Map(),
): EffectiveRetryOverrides {
  let progress: RetryProgress = { values: {}, matched: new Set(), freshSession: false };
  for (let attempt = 2; attempt <= number; attempt += 1) {
    const previous = history.findLast((one) => one.number === attempt - 1);
    progress = applyMatchingEntries(progress, entries, (entry, index) =>
      isEntryMatch(entry, attempt, previous, verdicts.get(`${attempt}/${index}`)),
    );
  }
  const { agent, prompt, worktree } = progress.values;
  return {
    ...defined({ agent, prompt }),
    freshSession: progress.freshSession,
    resetWorktree: worktree === 'reset',
  };
}

function applyMatchingEntries(
  progress: RetryProgress,
  entries: readonly RetryEntry[],
  isMatch: (entry: RetryEntry, index: number) => boolean,
): RetryProgress {
  const matching = entries.flatMap((entry, index) => (isMatch(entry, index) ? [index] : []));
  const overrides = matching.map((index) => entries[index]?.overrides ?? {});
  const first = matching.filter((index) => !progress.matched.has(index));
  return {
    values: Object.assign({}, progress.values, ...overrides),
    matched: new Set([...progress.matched, ...matching]),
    freshSession: first.some((index) => entries[index]?.overrides.session === 'new'),
  };
}

function isEntryMatch(
  entry: RetryEntry,
  attempt: number,
  previous: Attempt | undefined,
  holds: boolean | undefined,
): boolean {
  if ('validate' in entry.when) return holds === true;
  if ('attempt' in entry.when) return attempt >= entry.when.attempt;
  if ('not' in entry.when) return gateFailed(previous, entry.when.not);
  return false;
}

function gateFailed(attempt: Attempt | undefined, gate: string): boolean {
  return attempt?.gates.some((result) => result.name === gate && result.status === 'failed') ?? false;
}

/** How many attempts a step may make in one job attempt (S10): the highest `exit`, otherwise 1. */
export function maxAttempts(entries: readonly RetryEntry[]): number {
  return Math.max(1, ...entries.map((entry) => ('exit' in entry.when ? entry.when.exit : 1)));
}
