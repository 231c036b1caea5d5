/** The patch of each step that had an agent, for later runs of the subject. Only `main` can make them. */
import { readablePatch } from '../engine/readable-patch.js';
import type { RunState } from '../journal/run-state.js';
import type { Workspace } from '../workspace/workspace.js';

/** In characters, of all of them together: `main` writes them into a file for `post`. */
const maxTotal = 500_000;

/** Path of the step → its patch. What cannot be read is left out. */
export async function readStepDiffs(
  workspace: Pick<Workspace, 'patch'>,
  state: RunState,
): Promise<Readonly<Record<string, string>>> {
  const diffs: Record<string, string> = {};
  let total = 0;
  for (const { path, startSnapshot, attempts } of state.steps.values()) {
    const last = attempts.findLast(
      ({ provider, snapshot }) => provider !== undefined && snapshot !== undefined,
    );
    if (last?.snapshot === undefined) continue;
    const diff = readablePatch(await workspace.patch(startSnapshot, last.snapshot).catch(() => ''));
    total += diff.length;
    if (diff !== '' && total <= maxTotal) diffs[path] = diff;
  }
  return diffs;
}
