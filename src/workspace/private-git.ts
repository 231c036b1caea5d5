/** git with a private git directory, index and objects. Of the user's `.git`, only the objects are read. */
import { join } from 'node:path';
import { type Git, openGit } from './git.js';
import type { PrivateRepository } from './private-repository.js';
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
  readonly repository: Pick<Repository, 'root'>;
  readonly own: PrivateRepository;
  readonly privateDirectory: string;
  /** Directory of the objects and the exclude file. Default: `privateDirectory`. */
  readonly sharedDirectory?: string;
  /** Default: the index in `privateDirectory`. */
  readonly index?: string;
}

export function openPrivateGit(options: PrivateGitOptions): Git {
  const { shell, repository, own, privateDirectory, sharedDirectory = privateDirectory } = options;
  const shared = privateFiles(sharedDirectory);
  return openGit({
    shell,
    scratch: privateDirectory,
    directory: repository.root,
    settings: [
      `core.excludesFile=${shared.excludes}`,
      'core.attributesFile=/dev/null',
      'core.looseCompression=1',
    ],
    variables: {
      GIT_DIR: own.gitDirectory,
      GIT_WORK_TREE: repository.root,
      GIT_INDEX_FILE: options.index ?? privateFiles(privateDirectory).index,
      ...isolation(own, sharedDirectory),
      ...objectVariables(own, shared.objects),
    },
  });
}

/**
 * Without the configuration of the user and of the system, which were copied, and without replaced objects. git
 * older than 2.32 knows no `GIT_CONFIG_GLOBAL`, so it gets another home directory; only a partial clone keeps its
 * own, because fetching may need what is there.
 */
export function isolation(own: PrivateRepository, home: string): Readonly<Record<string, string>> {
  return {
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_COUNT: '0',
    GIT_CONFIG_PARAMETERS: '',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    XDG_CONFIG_HOME: home,
    ...(own.isPartial ? {} : { HOME: home }),
  };
}

/** git writes new objects to the directory `objects` and reads existing ones from the repository. */
export function objectVariables(
  { objectDirectories }: PrivateRepository,
  objects: string,
): Readonly<Record<string, string>> {
  return {
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: objectDirectories.map(alternate).join(':'),
  };
}

/** The variable is a list separated by `:`. A directory with a `:` in its name must be quoted (git 2.11). */
function alternate(directory: string): string {
  if (!/[:"]/.test(directory)) return directory;
  return `"${directory.replaceAll(/["\\]/g, '\\$&')}"`;
}
