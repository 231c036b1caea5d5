/** Files that change while nothing of the run is at work: a process that an agent left, or another program of the job. */
import type { Failure } from '../failure.js';
import type { EngineRun } from './engine-run.js';

/** A message names at most this many files. */
const maxNamedFiles = 10;

/** Checks the worktree before something relies on it. Another attempt would start from files of unknown origin. */
export async function findUnexplainedChanges(run: EngineRun): Promise<Failure | undefined> {
  const changes = await run.takeUnexplainedChanges();
  if (changes.length === 0) return undefined;
  const more = changes.length > maxNamedFiles ? ` and ${changes.length - maxNamedFiles} more` : '';
  const names = changes
    .slice(0, maxNamedFiles)
    .map(({ path }) => `\`${path}\``)
    .join(', ');
  const message = `files changed while no agent and no command of this run was at work: ${names}${more}. A process that an agent left, or another program of the job, writes to the checkout. End this program, or add its files to \`.gitignore\`, and re-run the job.`;
  return { kind: 'guard', message, isFinal: true };
}
