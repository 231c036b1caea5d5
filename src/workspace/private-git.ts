/** git with a private index and private objects. The user's `.git` is only read. */
import { join } from 'node:path';
import { type Git, openGit } from './git.js';
import type { Repository } from './repository.js';
import type { Shell } from './shell.js';

export interface PrivateFiles {
  readonly index: string;
  readonly overlayIndex: string;
  /** Copy of the user's index. */
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
  /** Directory of the objects and the exclude file. Default: `privateDirectory`. */
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

/** git writes new objects to the directory `objects` and reads existing ones from the repository. */
export function objectVariables(repository: Repository, objects: string): Readonly<Record<string, string>> {
  return {
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: alternate(join(repository.commonDirectory, 'objects')),
  };
}

/** The variable is a list separated by `:`. A directory with a `:` in its name must be quoted (git 2.11). */
function alternate(directory: string): string {
  if (!/[:"]/.test(directory)) return directory;
  return `"${directory.replaceAll(/["\\]/g, '\\$&')}"`;
}
