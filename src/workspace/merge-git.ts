/**
 * A repository of our own to merge in, which shares the objects: there the user's config does not count, so no
 * merge driver of theirs runs (one that is named in `.gitattributes` means a merge as text, the built-in `union`
 * and `binary` mean what they say), and no history is looked at.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../failure.js';
import { type Git, openGit } from './git.js';
import { objectVariables } from './private-git.js';
import type { Repository } from './repository.js';
import type { Shell } from './shell.js';

/** `merge-tree --write-tree` came with git 2.38. Throws a UserError where git is older. */
export async function requireMergeTree(git: Git): Promise<void> {
  const { stdout } = await git.run(['version']);
  const version = stdout.toString('utf8').trim();
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 38)) return;
  throw new UserError(
    `Parallel steps need git 2.38 or newer on this runner, to merge what they change; found: ${version}. ` +
      'Install a newer git, or take `parallel` out of the workflow.',
  );
}

export interface MergeGitOptions {
  readonly shell: Shell;
  readonly repository: Repository;
  /** Directory of the shell. */
  readonly scratch: string;
  readonly objects: string;
}

/** Opens the repository that merges are made in, and makes it at the first time. */
export async function openMergeGit({ shell, repository, scratch, objects }: MergeGitOptions): Promise<Git> {
  const gitDirectory = join(scratch, 'merge.git');
  const git = openGit({
    shell,
    scratch,
    directory: repository.root,
    // With it, what one unit adds to a directory that another one renamed would be a conflict.
    settings: ['merge.directoryRenames=false', 'core.looseCompression=1'],
    variables: {
      GIT_DIR: gitDirectory,
      // Attributes are read from the main work tree.
      GIT_WORK_TREE: repository.root,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_COUNT: '0',
      GIT_CONFIG_PARAMETERS: '',
      GIT_ATTR_NOSYSTEM: '1',
      ...objectVariables(repository, objects),
    },
  });
  if (!existsSync(gitDirectory)) await initMergeRepository(shell, repository, scratch, gitDirectory);
  return git;
}

async function initMergeRepository(
  shell: Shell,
  repository: Repository,
  scratch: string,
  gitDirectory: string,
): Promise<void> {
  const format = repository.headTree.length === 64 ? 'sha256' : 'sha1';
  const git = openGit({ shell, scratch, directory: scratch });
  await git.run(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, gitDirectory]);
}
