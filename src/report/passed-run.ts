/** What the log says at the end of a run that passed: what changed, where it is, what it cost. Pure. */
import { totalUsage } from '../journal/ledger.js';
import type { RunState } from '../journal/run-state.js';
import { describeChanges, readChangedFiles, totalsOfChanges } from './change-statistics.js';
import { usageFacts } from './format.js';

export interface PassedRunFacts {
  readonly state: RunState;
  /** All changes against the start tree. */
  readonly patch: string;
  readonly files: { readonly patch: string; readonly results: string };
}

/** The log names at most this many files. */
const maxFiles = 20;

/** `apply`: the input. */
export function passedRunLines({ state, patch, files }: PassedRunFacts, apply: string): readonly string[] {
  const changed = readChangedFiles(patch);
  const more = changed.length - maxFiles;
  const usage = usageFacts(totalUsage(state.ledger));
  return [
    `  Changes: ${describeChanges(totalsOfChanges(changed))}`,
    ...changed.slice(0, maxFiles).map(({ path, added, removed }) => {
      return `    ${path} ${added === undefined || removed === undefined ? '(binary)' : `+${added} −${removed}`}`;
    }),
    ...(more > 0 ? [`    and ${more} more`] : []),
    ...(changed.length === 0 ? [] : [`  Where: ${placeOf(apply)}; as a patch in ${files.patch}`]),
    `  Results: ${files.results}`,
    `  Cost: ${usage.length === 0 ? 'no agent reported any' : usage.join(', ')}`,
  ];
}

/** `apply`: the input. */
export function placeOf(apply: string): string {
  return apply === 'none'
    ? 'the checkout was restored (`apply: none`)'
    : 'uncommitted in the checkout, for later steps of the job';
}
