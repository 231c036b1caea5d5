/**
 * A private repository for merges that shares the objects. The user's config has no effect there, so none of the
 * user's merge drivers runs: git merges a file as text if `.gitattributes` names such a driver, and the built-in
 * drivers `union` and `binary` keep their meaning. git reads no history.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../failure.js';
import { type Git, openGit } from './git.js';
import { isolation, objectVariables } from './private-git.js';
import type { PrivateRepository } from './private-repository.js';
import type { Repository } from './repository.js';
import type { Shell } from './shell.js';

/** `merge-tree --write-tree` needs git 2.38. Throws a `UserError` if git is older. */
export async function requireMergeTree(git: Git): Promise<void> {
  const { stdout } = await git.run(['version']);
  const version = stdout.toString('utf8').trim();
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 38)) return;
  throw new UserError(
    `Parallel steps need git 2.38 or newer to merge their changes, and this runner has ${version}. ` +
      'Install a newer git, or remove `parallel` from the workflow.',
  );
}

export interface MergeGitOptions {
  readonly shell: Shell;
  readonly repository: Repository;
  readonly own: PrivateRepository;
  /** The directory that the shell runs in. */
  readonly scratch: string;
  readonly objects: string;
}

/** Opens the repository for merges. Creates it on the first call. */
export async function openMergeGit({
  shell,
  repository,
  own,
  scratch,
  objects,
}: MergeGitOptions): Promise<Git> {
  const gitDirectory = join(scratch, 'merge.git');
  const git = openGit({
    shell,
    scratch,
    directory: repository.root,
    // Otherwise a file that one branch adds to a directory that another branch renames would be a conflict.
    settings: ['merge.directoryRenames=false', 'core.looseCompression=1'],
    variables: {
      GIT_DIR: gitDirectory,
      // git reads attributes from the main worktree.
      GIT_WORK_TREE: repository.root,
      ...isolation(own, scratch),
      ...objectVariables(own, objects),
    },
  });
  if (!existsSync(gitDirectory))
    await initMergeRepository({ shell, repository, own, scratch, objects }, gitDirectory);
  return git;
}

async function initMergeRepository(
  { shell, repository, own, scratch }: MergeGitOptions,
  gitDirectory: string,
): Promise<void> {
  const format = repository.headTree.length === 64 ? 'sha256' : 'sha1';
  const git = openGit({ shell, scratch, directory: scratch, variables: isolation(own, scratch) });
  await git.run(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, gitDirectory]);
}
