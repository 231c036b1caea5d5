/**
 * The git directory of the action's own git. It has a copy of what governs git (settings, exclude rules, shallow
 * commits), taken before the first agent starts, and reads the objects of the user's repository. So nothing that an
 * agent changes in `.git` has an effect on what the action records or restores.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Repository } from './repository.js';
import { type GitSettings, isPartialClone, writeCopy } from './settings-copy.js';

/**
 * Files are stored byte for byte: no conversion of line ends or encodings, and no filter. The rules of this file
 * take precedence over every `.gitattributes` (gitattributes(5)). `-working-tree-encoding` would be an error.
 */
const noConversion = '* -text !eol -filter -ident !working-tree-encoding\n';

/** What a later process of the job must know without asking the user's repository. */
export interface PrivateRepository {
  readonly gitDirectory: string;
  /** The directories with the objects of the user's repository. */
  readonly objectDirectories: readonly string[];
  /** A partial clone: git may have to fetch objects, with the programs and files in the user's home. */
  readonly isPartial: boolean;
}

export interface PrivateRepositoryOptions {
  readonly repository: Repository;
  readonly settings: GitSettings;
  /** The private directory of the workspace. */
  readonly directory: string;
}

export function privateGitDirectory(directory: string): string {
  return join(directory, 'repository');
}

export function createPrivateRepository({
  repository,
  settings,
  directory,
}: PrivateRepositoryOptions): PrivateRepository {
  const { commonDirectory, gitDirectory: users, startCommit } = repository;
  const gitDirectory = privateGitDirectory(directory);
  for (const name of ['refs', 'info']) mkdirSync(join(gitDirectory, name), { recursive: true, mode: 0o700 });
  writeFileSync(join(gitDirectory, 'HEAD'), `${startCommit}\n`);
  // It may hold the token of the checkout.
  writeFileSync(join(gitDirectory, 'config'), writeCopy(settings), { mode: 0o600 });
  writeFileSync(join(gitDirectory, 'info', 'attributes'), noConversion);
  copyIfPresent(join(commonDirectory, 'info', 'exclude'), join(gitDirectory, 'info', 'exclude'));
  copyIfPresent(join(commonDirectory, 'shallow'), join(gitDirectory, 'shallow'));
  // A split index refers to these files.
  for (const name of readdirSync(users).filter((one) => one.startsWith('sharedindex.')))
    copyFileSync(join(users, name), join(gitDirectory, name));
  const objectDirectories = findObjectDirectories(join(commonDirectory, 'objects'));
  return { gitDirectory, objectDirectories, isPartial: isPartialClone(settings) };
}

/** The directory and all that its `info/alternates` names, as git finds them (gitrepository-layout(5)). */
function findObjectDirectories(objects: string): readonly string[] {
  const found = new Set([objects]);
  for (const directory of found) {
    const file = join(directory, 'info', 'alternates');
    if (!existsSync(file)) continue;
    for (const line of readFileSync(file, 'utf8').split('\n'))
      if (line !== '' && !/^[#"]/.test(line)) found.add(resolve(directory, line));
  }
  return [...found];
}

function copyIfPresent(from: string, to: string): void {
  if (existsSync(from)) copyFileSync(from, to);
}

/** In the private directory. */
export const repositoryFile = 'workspace.json';

/** Stores what `post` needs if an agent has damaged the repository. */
export function saveRepository(directory: string, repository: Repository, own: PrivateRepository): void {
  writeFileSync(join(directory, repositoryFile), JSON.stringify({ repository, own }), { mode: 0o600 });
}

/** `undefined` if the workspace was never opened. */
export function loadRepository(
  directory: string,
): { readonly repository: Repository; readonly own: PrivateRepository } | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, repositoryFile), 'utf8'));
  } catch {
    return undefined;
  }
}
