/** Records what an attempt left in the worktree, and checks it if the step may not change files. */
import { UserError } from '../failure.js';
import type { AgentEnded, AttemptRef } from '../journal/event.js';
import type { AgentStep } from '../workflow/workflow.js';
import type { NotKeptPath, RecordedSnapshot, Snapshot } from '../workspace/workspace.js';
import type { EngineRun } from './engine-run.js';
import { isReadOnly, withNoWrite } from './output-contract.js';

type RecordedWork = Pick<AgentEnded, 'snapshot' | 'changed' | 'ignored'> &
  Partial<Pick<AgentEnded, 'failure' | 'unstored'>>;

/**
 * Records the tree that the agent left. What the attempt spent and its session count even if that is not possible:
 * then the attempt ends without a change. `error`: an internal error, to be thrown when the attempt is in the journal.
 */
export async function recordWork(
  run: EngineRun,
  step: AgentStep,
  ref: AttemptRef,
  before: Snapshot,
  restoredGitState: Promise<void>,
): Promise<RecordedWork & { readonly error?: unknown }> {
  const { workspace } = run.ports;
  try {
    const listing = workspace.listIgnoredNames();
    // If both fail, `record` knows why.
    listing.catch(() => undefined);
    const [snapshot] = await Promise.all([
      workspace.record(`${ref.step} attempt ${ref.number}`),
      restoredGitState,
    ]);
    const ignored = await listing;
    warnAboutLeftOutFiles(run, ref, snapshot);
    const unstored = snapshot.unstored.length === 0 ? {} : { unstored: snapshot.unstored };
    return { ...(await enforceReadOnly(run, step, snapshot, before)), ...unstored, ignored };
  } catch (error) {
    const nothing = { snapshot: before, changed: false, ignored: [] };
    if (!(error instanceof UserError)) return { ...nothing, error };
    return { ...nothing, failure: { kind: 'guard', message: error.message, isFinal: true } };
  }
}

/** A message names at most this many files. */
const maxNamedFiles = 20;

/** A read-only step may write only its answer. Any other change is undone and fails the attempt (`no_write`). */
async function enforceReadOnly(
  run: EngineRun,
  step: AgentStep,
  snapshot: RecordedSnapshot,
  before: Snapshot,
): Promise<Pick<AgentEnded, 'snapshot' | 'changed'> & Partial<Pick<AgentEnded, 'failure'>>> {
  const { base, commit, changed, unstored } = snapshot;
  const isUnchanged = !changed && unstored.length === 0;
  if (!isReadOnly(withNoWrite(step, run.isWriteForbidden), run.permissions) || isUnchanged)
    return { snapshot: { base, commit }, changed };
  const changes = await run.ports.workspace.changes(before, snapshot);
  await run.ports.workspace.reset(before);
  const paths = new Set([...changes.map(({ path }) => path), ...unstored]);
  const kept =
    unstored.length === 0
      ? ''
      : ` The changes in ${namesOf(unstored)} cannot be undone: it is a git repository of its own.`;
  const message = `\`no_write\`: the agent of this step may change only \`.gump/out\`, but it changed ${namesOf([...paths])}. The files were restored.${kept}`;
  return { snapshot: before, changed: false, failure: { kind: 'guard', message } };
}

function namesOf(paths: readonly string[]): string {
  const named = paths.slice(0, maxNamedFiles).map((path) => `\`${path}\``);
  const more = paths.length > maxNamedFiles ? ` and ${paths.length - maxNamedFiles} more` : '';
  return named.join(', ') + more;
}

function warnAboutLeftOutFiles(run: EngineRun, { step }: AttemptRef, snapshot: RecordedSnapshot): void {
  for (const file of snapshot.leftOut) {
    run.ports.reporter.warn(
      `File not stored, so a re-run will not have it: \`${file}\` is larger than 100 MB or cannot be read.`,
    );
  }
  const names = (reason: NotKeptPath['reason']) =>
    snapshot.notKept.flatMap((one) => (one.reason === reason ? [one.path] : []));
  if (names('empty').length > 0)
    run.ports.reporter.warn(
      `Empty directories are not stored, so a re-run will not have them: step \`${step}\` made ${namesOf(names('empty'))}. Let the step write a file into each.`,
    );
  if (names('ignored').length > 0)
    run.ports.reporter.warn(
      `Ignored files are not stored, so a re-run will not have them: step \`${step}\` made ${namesOf(names('ignored'))}, and also added the rule to \`.gitignore\`.`,
    );
  for (const path of snapshot.unstored) {
    run.ports.reporter.warn(
      `Changes not stored: step \`${step}\` changed \`${path}\`, which is a submodule or a separate git repository. A re-run does not have these changes, so it runs the step again. Let steps change only files of the repository itself.`,
    );
  }
}
