/** Transfers the objects of snapshots from this job to the next one, as one pack. */
import type { Git } from './git.js';
import type { Snapshot } from './workspace.js';

/**
 * The objects of these snapshots as one pack, with the content before and after the change of every changed file.
 * Empty if there is no change.
 *
 * A snapshot that version 0.1.0 recorded is based on the start commit. Its pack leaves out what that commit has,
 * which the next job finds in its checkout if it is at the same commit.
 */
export async function packSnapshots(
  git: Git,
  startCommit: string,
  snapshots: readonly Snapshot[],
): Promise<Buffer> {
  const changed = snapshots.filter(({ base, commit }) => base !== commit);
  if (changed.length === 0) return Buffer.alloc(0);
  const commits = new Set(changed.flatMap(({ base, commit }) => [base, commit]));
  const isWhole = await areRoots(git, changed);
  const excluded = isWhole ? '' : `^${startCommit}\n`;
  commits.delete(startCommit);
  const args = ['pack-objects', '--revs', '--delta-base-offset', '--stdout', '-q'];
  const { stdout } = await git.run(isWhole ? args : [...args, '--thin'], {
    input: `${[...commits].join('\n')}\n${excluded}`,
  });
  return stdout;
}

/** Whether no base has a parent, so that the snapshots need nothing of the repository's history. */
async function areRoots(git: Git, snapshots: readonly Snapshot[]): Promise<boolean> {
  const bases = [...new Set(snapshots.map(({ base }) => base))];
  const args = ['rev-list', '--no-walk', '--max-parents=0', '--stdin'];
  const { stdout } = await git.run(args, { input: `${bases.join('\n')}\n` });
  return stdout.toString('latin1').split('\n').filter(Boolean).length === bases.length;
}

/** Whether the repository can compute the changes of these snapshots, after `unpackSnapshots`. */
export async function hasSnapshots(git: Git, snapshots: readonly Snapshot[]): Promise<boolean> {
  const changed = snapshots.filter(({ base, commit }) => base !== commit);
  const commits = [...new Set(changed.flatMap(({ base, commit }) => [base, commit]))];
  if (commits.length === 0) return true;
  const { stdout } = await git.run(['cat-file', '--batch-check'], {
    input: commits.map((commit) => `${commit}^{tree}\n`).join(''),
  });
  return !stdout.toString('latin1').includes(' missing');
}

/** Adds the objects of such a pack to the private ones. Throws if the pack is damaged, or needs a start commit that is missing. */
export async function unpackSnapshots(git: Git, pack: Buffer): Promise<void> {
  if (pack.length === 0) return;
  await git.run(['index-pack', '--stdin', '--fix-thin'], { input: pack });
}

/** Whether the repository has the tree of a commit. A shallow checkout has only the tree of its own commit. */
export async function hasTree(git: Git, commit: string): Promise<boolean> {
  const { status } = await git.run(['cat-file', '-e', `${commit}^{tree}`], { accept: [0, 1, 128] });
  return status === 0;
}
