/** The warning after a force-push: the run differs from what its user expects. */
import type { CommitDistance } from '../engine/previous-run.js';
import type { SubjectEntry } from '../previous/subject-entry.js';
import type { RunContext } from './run-context.js';

/** Returns what it gets. `entry`: that of the earlier run, if there is one. */
export function warnIfRewritten(
  { live }: Pick<RunContext, 'live'>,
  entry: Pick<SubjectEntry, 'runId' | 'commit'> | undefined,
): (distance: CommitDistance) => CommitDistance {
  return (distance) => {
    if (entry !== undefined && distance.relation === 'rewritten') live.warn(rewrittenText(entry, distance));
    return distance;
  };
}

function rewrittenText(
  { runId, commit }: Pick<SubjectEntry, 'runId' | 'commit'>,
  { base }: CommitDistance,
): string {
  return (
    `The branch was rewritten since run ${runId} (force-push): commit ${commit.slice(0, 7)} is no longer part of it. ` +
    `What changed since that run is compared with the merge base ${base.slice(0, 7)}, so agents may see some changes again. ` +
    'Push new commits instead to avoid this.'
  );
}
