/** git with an index and objects of our own: the user's `.git` is only read. */
import { join } from 'node:path';
import { type Git, openGit } from './git.js';
import type { Repository } from './repository.js';
import type { Shell } from './shell.js';

export interface PrivateFiles {
  readonly index: string;
  readonly overlayIndex: string;
  /** Copy of the index that the user sees. */
  readonly indexCopy: string;
  readonly excludes: string;
  readonly objects: string;
}

export function privateFiles(directory: string): PrivateFiles {
  return {
    index: join(directory, 'index'),
    overlayIndex: join(directory, 'overlay-index'),
    indexCopy: join(directory, 'users-index'),
    excludes: join(directory, 'exclude'),
    objects: join(directory, 'objects'),
  };
}

export interface PrivateGitOptions {
  readonly shell: Shell;
  readonly repository: Repository;
  readonly privateDirectory: string;
  /** Where objects and excludes lie; the private directory unless told. */
  readonly sharedDirectory?: string;
}

export function openPrivateGit(options: PrivateGitOptions): Git {
  const { shell, repository, privateDirectory, sharedDirectory = privateDirectory } = options;
  const shared = privateFiles(sharedDirectory);
  return openGit({
    shell,
    scratch: privateDirectory,
    directory: repository.root,
    settings: [`core.excludesFile=${shared.excludes}`, 'core.looseCompression=1'],
    variables: {
      GIT_INDEX_FILE: privateFiles(privateDirectory).index,
      ...objectVariables(repository, shared.objects),
    },
  });
}

/** New objects go into the directory `objects`, known ones come from the repository. */
export function objectVariables(repository: Repository, objects: string): Readonly<Record<string, string>> {
  return {
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: alternate(join(repository.commonDirectory, 'objects')),
  };
}

/** The variable is a list with `:` between; a directory with one in its name must stand in quotes (git 2.11). */
function alternate(directory: string): string {
  if (!/[:"]/.test(directory)) return directory;
  return `"${directory.replaceAll(/["\\]/g, '\\$&')}"`;
}
