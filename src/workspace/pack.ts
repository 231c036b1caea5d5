/** Transfers the objects of snapshots from this job to the next one, as one pack. */
import type { Git } from './git.js';
import type { Snapshot } from './workspace.js';

export interface PackSource {
  readonly startCommit: string;
  /**
   * A partial clone may lack the former content of a file that it has not checked out, and nobody may be able to fetch
   * it: the token of the checkout is often gone. Without it, the file can be restored, but not merged.
   */
  readonly isPartial: boolean;
}

/**
 * The objects of these snapshots as one pack, with the content before and after the change of every changed file.
 * Empty if there is no change. Without the objects of the commits in `packed`, which the receiver has unpacked before.
 *
 * A snapshot that version 0.1.0 recorded is based on the start commit. Its pack leaves out what that commit has,
 * which the next job finds in its checkout if it is at the same commit.
 */
export async function packSnapshots(
  git: Git,
  { startCommit, isPartial }: PackSource,
  snapshots: readonly Snapshot[],
  packed: readonly string[] = [],
): Promise<Buffer> {
  const changed = snapshots.filter(({ base, commit }) => base !== commit);
  if (changed.length === 0) return Buffer.alloc(0);
  const commits = new Set(changed.flatMap(({ base, commit }) => [base, commit]));
  for (const commit of packed) commits.delete(commit);
  if (commits.size === 0) return Buffer.alloc(0);
  // In a checkout of depth 1, the start commit has no parents either, but it has the files of the whole repository.
  const isWhole = changed.every(({ base }) => base !== startCommit) && (await areRoots(git, changed));
  const excluded = [...(isWhole ? [] : [startCommit]), ...packed].map((commit) => `^${commit}\n`).join('');
  commits.delete(startCommit);
  const args = [
    ...['pack-objects', '--revs', '--delta-base-offset', '--stdout', '-q', '--window=2'],
    ...(excluded === '' ? [] : ['--thin']),
    // Git otherwise leaves out only the objects of a commit's parents, and snapshots have none (git 2.39,
    // `mark_edges_uninteresting`).
    ...(packed.length === 0 ? [] : ['--shallow']),
    ...(isPartial ? ['--missing=allow-any'] : []),
  ];
  const { stdout } = await git.run(args, {
    input: `${[...commits].join('\n')}\n${excluded}`,
    settings: packSettings,
  });
  return stdout;
}

/**
 * The checkpoint compresses its packs, in less time than git and with the same result (`archive.ts`), and packs are
 * unpacked faster. Git's default window of 10 takes four times as long for new files, and little else is gained by it:
 * a version of a file is next to the one before.
 */
const packSettings = ['pack.compression=0'];

/** Whether no base has a parent, so that the snapshots need nothing of the repository's history. */
async function areRoots(git: Git, snapshots: readonly Snapshot[]): Promise<boolean> {
  const bases = [...new Set(snapshots.map(({ base }) => base))];
  const args = ['rev-list', '--no-walk', '--max-parents=0', '--stdin'];
  const { stdout } = await git.run(args, { input: `${bases.join('\n')}\n` });
  return stdout.toString('latin1').split('\n').filter(Boolean).length === bases.length;
}

/** Adds the objects of such a pack to the private ones. Throws if the pack is damaged, or needs a start commit that is missing. */
export async function unpackSnapshots(git: Git, pack: Buffer): Promise<void> {
  if (pack.length === 0) return;
  await git.run(['index-pack', '--stdin', '--fix-thin'], { input: pack });
}

/**
 * Whether nothing is missing that the snapshots changed. The ids of unpacked objects are computed from their contents,
 * so an object that another program replaced before it was packed is missing.
 */
export async function hasSnapshots(git: Git, snapshots: readonly Snapshot[]): Promise<boolean> {
  const changed = snapshots.filter(({ base, commit }) => base !== commit);
  const commits = [...new Set(changed.flatMap(({ base, commit }) => [base, commit]))];
  if (
    !(await areInRepository(
      git,
      commits.map((commit) => `${commit}^{tree}`),
    ))
  )
    return false;
  const args = ['diff-tree', '--stdin', '-r', '--raw', '--no-commit-id', '--no-renames', '--no-abbrev'];
  const { status, stdout } = await git.run(args, {
    input: changed.map(({ base, commit }) => `${commit} ${base}\n`).join(''),
    accept: [0, 128],
  });
  // `:<mode> <mode> <id> <id> <status>`; a submodule is in another repository.
  const found = stdout.toString('latin1').matchAll(/^:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) [AMT]/gm);
  const files = [...found].flatMap(([, mode, id]) => (mode === '160000' || id === undefined ? [] : [id]));
  return status === 0 && areInRepository(git, [...new Set(files)]);
}

async function areInRepository(git: Git, ids: readonly string[]): Promise<boolean> {
  if (ids.length === 0) return true;
  const { stdout } = await git.run(['cat-file', '--batch-check'], {
    input: ids.map((id) => `${id}\n`).join(''),
  });
  return !/ missing$/m.test(stdout.toString('latin1'));
}

/** Whether the repository has the tree of a commit. A shallow checkout has only the tree of its own commit. */
export async function hasTree(git: Git, commit: string): Promise<boolean> {
  const { status } = await git.run(['cat-file', '-e', `${commit}^{tree}`], { accept: [0, 1, 128] });
  return status === 0;
}
