/** The objects of snapshots as one pack, out of this job and into the next. */
import type { Git } from './git.js';
import type { Snapshot } from './workspace.js';

/**
 * The objects that these snapshots have and the start commit has not, as a thin pack: its deltas may lean on
 * objects of the start commit, which every checkout has, also a shallow one. Empty where there is nothing.
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

/** Adds the objects of such a pack to the private ones. Throws where it is damaged or the start commit is another. */
export async function unpackSnapshots(git: Git, pack: Buffer): Promise<void> {
  if (pack.length === 0) return;
  await git.run(['index-pack', '--stdin', '--fix-thin'], { input: pack });
}

/** Whether the tree of a commit is here: a shallow checkout has only that of its own. */
export async function hasTree(git: Git, commit: string): Promise<boolean> {
  const { status } = await git.run(['cat-file', '-e', `${commit}^{tree}`], { accept: [0, 1, 128] });
  return status === 0;
}
