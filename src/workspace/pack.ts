/** Transfers the objects of snapshots from this job to the next one, as one pack. */
import type { Git } from './git.js';
import type { Snapshot } from './workspace.js';

/**
 * The objects of these snapshots that the start commit does not have, as a thin pack: its deltas may refer to objects
 * of the start commit, which every checkout has, even a shallow one. Empty if there are no such objects.
 */
export async function packSnapshots(
  git: Git,
  startCommit: string,
  snapshots: readonly Snapshot[],
): Promise<Buffer> {
  const commits = new Set(snapshots.flatMap(({ base, commit }) => [base, commit]));
  commits.delete(startCommit);
  if (commits.size === 0) return Buffer.alloc(0);
  const args = ['pack-objects', '--revs', '--thin', '--delta-base-offset', '--stdout', '-q'];
  const { stdout } = await git.run(args, { input: `${[...commits].join('\n')}\n^${startCommit}\n` });
  return stdout;
}

/** Adds the objects of such a pack to the private ones. Throws if the pack is damaged or the start commit differs. */
export async function unpackSnapshots(git: Git, pack: Buffer): Promise<void> {
  if (pack.length === 0) return;
  await git.run(['index-pack', '--stdin', '--fix-thin'], { input: pack });
}

/** Whether the repository has the tree of a commit. A shallow checkout has only the tree of its own commit. */
export async function hasTree(git: Git, commit: string): Promise<boolean> {
  const { status } = await git.run(['cat-file', '-e', `${commit}^{tree}`], { accept: [0, 1, 128] });
  return status === 0;
}
