/** The change that a run publishes, and what the action must not publish of it. */
import { newestSnapshot, type RunState } from '../journal/run-state.js';
import { refusedFailure, workflowFailure } from '../publish/publish-failure.js';
import { readTokenOwner } from '../publish/token-owner.js';
import { bytePathToText } from '../workspace/byte-path.js';
import type { CommittableChange, UncommittableFile } from '../workspace/change-commits.js';
import { openPublishApi } from './publish-place.js';
import type { RunRequest } from './run-context.js';

/** Throws a `FailureError` if the change cannot be committed by the action. */
export async function readChange(
  { workspace, publishTarget }: RunRequest,
  state: RunState,
): Promise<CommittableChange> {
  const { commits } = workspace;
  const change = await commits.changeOf(newestSnapshot(state) ?? workspace.startSnapshot);
  const submodules = new Set(await commits.submodules());
  const changed = [...state.steps.values()]
    .flatMap(({ attempts }) => attempts.flatMap(({ unstored = [] }) => unstored))
    .map((path) => path.replace(/\/$/, ''))
    .filter((path) => submodules.has(path));
  const inSubmodules = [...new Set(changed)].map(
    (path): UncommittableFile => ({ path, reason: 'submodule' }),
  );
  const refused = [...change.refused, ...inSubmodules];
  if (refused.length > 0) throw refusedFailure(publishTarget?.apply ?? 'push', refused);
  return change;
}

/** The changed files below `.github/workflows`. */
export function workflowFilesOf(files: CommittableChange['files']): readonly string[] {
  return files
    .map(({ path }) => bytePathToText(path))
    .filter((path) => path.startsWith('.github/workflows/'));
}

/** The token of a job may never change workflow files. What another token may do, only GitHub knows. */
export async function requireWorkflowRight(
  { actionContext, publishTarget }: RunRequest,
  files: readonly string[],
): Promise<void> {
  if (files.length === 0 || publishTarget?.apply === 'commit') return;
  const api = await openPublishApi(actionContext);
  const owner = await readTokenOwner(api).catch(() => undefined);
  if (owner === 'github-actions[bot]') throw workflowFailure(files);
}
