/** A commit on the checked-out branch, for `apply: commit`. No hook runs, and nothing is signed. */
import { UserError } from '../failure.js';
import type { Git } from './git.js';
import { applyUpdates, type TreeChange, updateIndex } from './git-tree.js';
import type { Repository } from './repository.js';

export interface LocalCommitRequest {
  readonly files: readonly TreeChange[];
  readonly message: string;
  /** `name <address>`, author and committer. */
  readonly identity: string;
  /** In milliseconds. */
  readonly now: number;
}

export interface LocalCommitOptions {
  /** git with the private objects. */
  readonly git: Git;
  /** git with the user's repository. */
  readonly userGit: Git;
  readonly repository: Repository;
  /** Path of an index file that may be overwritten. */
  readonly index: string;
}

/** Returns the commit. The files in the worktree stay as they are. */
export async function commitInRepository(
  options: LocalCommitOptions,
  request: LocalCommitRequest,
): Promise<string> {
  const { git, userGit, repository } = options;
  const { startCommit } = repository;
  const head = textOf(await userGit.run(['rev-parse', 'HEAD']));
  if (head !== startCommit)
    throw new UserError(
      `HEAD is at ${head}, but the run started at ${startCommit}, so its change was not committed. ` +
        'Let no command of the workflow move HEAD, and re-run the failed jobs.',
    );
  const updates = request.files.map(({ path, after }) => ({ path, entry: after }));
  const tree = await applyUpdates(git, options.index, await treeOf(git, startCommit), updates);
  const commit = await writeCommit(git, tree, startCommit, request);
  await copyObjects(options, commit);
  const moveHead = (to: string, from: string) =>
    userGit.run(['update-ref', '-m', 'commit: gump-action', 'HEAD', to, from]);
  await moveHead(commit, startCommit);
  try {
    await updateIndex(userGit, undefined, repository.headTree.length, updates);
  } catch (error) {
    // For example, a git that was killed has left its lock. With the old index, the commit would look reverted.
    await moveHead(startCommit, commit);
    throw error;
  }
  // Otherwise `git status` would have to read the files again. Status 1: some files differ, which is fine.
  await userGit.run(['update-index', '-q', '--refresh'], { accept: [0, 1] });
  return commit;
}

async function treeOf(git: Git, commit: string): Promise<string> {
  return textOf(await git.run(['rev-parse', `${commit}^{tree}`]));
}

async function writeCommit(
  git: Git,
  tree: string,
  parent: string,
  { message, identity, now }: LocalCommitRequest,
): Promise<string> {
  const who = `${identity} ${Math.floor(now / 1000)} +0000`;
  const text = `tree ${tree}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n\n${message.trimEnd()}\n`;
  return textOf(await git.run(['hash-object', '-t', 'commit', '-w', '--stdin'], { input: text }));
}

/** The action's own objects are not in the user's repository. */
async function copyObjects({ git, userGit, repository }: LocalCommitOptions, commit: string): Promise<void> {
  const input = `${commit}\n^${repository.startCommit}\n`;
  const { stdout: pack } = await git.run(['pack-objects', '--revs', '--stdout', '-q'], { input });
  await userGit.run(['unpack-objects', '-q'], { input: pack });
}

function textOf({ stdout }: { readonly stdout: Buffer }): string {
  return stdout.toString('latin1').trim();
}
