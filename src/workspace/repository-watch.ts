/**
 * Notes what governs the user's git: settings, hooks, exclude and attribute rules, alternates and replaced commits,
 * in the repository, its submodules and the files that its settings come from. Restores it after agents and
 * commands. The action's own git does not depend on it (`private-repository.ts`), but agents, gates and later steps
 * of the job do.
 */
import { existsSync, lstatSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { type KeptFiles, keepFiles, stampOf } from './kept-files.js';
import { privateFiles } from './private-git.js';
import { privateGitDirectory, repositoryFile } from './private-repository.js';
import type { Repository } from './repository.js';
import { type GitSettings, pathSettingOf } from './settings-copy.js';

/** A change that was found. It fits `WatchedChange` of the layer `security`. */
export interface RepositoryChange {
  readonly what: string;
  readonly effect: 'run' | 'read-only' | 'warning';
  readonly isPermanent?: true;
}

export interface RepositoryWatch {
  restore(): Promise<readonly RepositoryChange[]>;
}

export interface RepositoryWatchOptions {
  readonly repository: Repository;
  readonly settings: GitSettings;
  readonly env: Readonly<Record<string, string>>;
  /** The action's private directory for git. */
  readonly privateDirectory: string;
}

/**
 * Files that git reads and does not write during normal work (gitrepository-layout(5), git 2.39 to 2.51). Not `shallow`:
 * every `git fetch --depth` writes it together with the objects, and git cannot read the history without its lines.
 */
const files = [
  'config',
  'config.lock',
  'config.worktree',
  'commondir',
  'gitdir',
  'objects/info/alternates',
  'objects/info/http-alternates',
];
const folders = ['hooks', 'info', 'remotes', 'branches', 'refs/replace'];

export function watchRepository(options: RepositoryWatchOptions): RepositoryWatch {
  const { repository } = options;
  const identity = identityOf(repository);
  const governing = keepFiles(() => listGoverning(repository));
  const replaced = keepReplacedRefs(join(repository.commonDirectory, 'packed-refs'));
  const outside = keepFiles(() => listOutside(options));
  const own = keepFiles(() => listOwn(options.privateDirectory));
  return {
    async restore() {
      if (!isSameRepository(identity, identityOf(repository))) return [lostRepository];
      const ours = own.restore();
      if (ours.length > 0) return [{ what: "files of the action's own git", effect: 'run' }];
      const inRepository = [...governing.restore(), ...replaced.restore()];
      return [
        ...describe(
          inRepository.map((path) => relative(repository.root, path)),
          'read-only',
        ),
        ...describe(outside.restore(), 'warning'),
      ];
    },
  };
}

const lostRepository: RepositoryChange = {
  what: 'the git repository of the checkout: `.git` was removed or replaced',
  effect: 'run',
  isPermanent: true,
};

function describe(paths: readonly string[], effect: RepositoryChange['effect']): readonly RepositoryChange[] {
  if (paths.length === 0) return [];
  const names = paths.slice(0, 10).map((path) => `\`${path}\``);
  const more = paths.length > names.length ? ` and ${paths.length - names.length} more` : '';
  return [{ what: `files that control git (${names.join(', ')}${more})`, effect }];
}

interface Identity {
  readonly place: string;
  /** Time of creation, because a file system uses inodes again. `undefined` if the file system does not know it. */
  readonly created: bigint | undefined;
}

/** The directories of the repository, and the content of `.git` if that is a file, as in a linked worktree. */
function identityOf({ root, gitDirectory, commonDirectory }: Repository): readonly Identity[] {
  const link = { place: readText(join(root, '.git')) ?? '', created: undefined };
  const directories = ['objects', 'refs'].map((name) => join(commonDirectory, name));
  return [link, ...[join(root, '.git'), gitDirectory, commonDirectory, ...directories].map(identityAt)];
}

function identityAt(path: string): Identity {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) return { place: '', created: undefined };
  const { dev, ino, mode, birthtimeNs, ctimeNs } = found;
  // The kind of entry, without permissions. Git writes the link of a worktree again as a new file.
  const place = found.isFile() ? '' : [dev, ino, mode & 0o170000n].join(' ');
  return { place, created: birthtimeNs === 0n || birthtimeNs === ctimeNs ? undefined : birthtimeNs };
}

function isSameRepository(noted: readonly Identity[], now: readonly Identity[]): boolean {
  return noted.every(({ place, created }, at) => {
    const other = now[at];
    return place === other?.place && (created === undefined || place === '' || created === other.created);
  });
}

/** git does not write these files of the private git directory. */
function listOwn(privateDirectory: string): readonly string[] {
  const { excludes, objects } = privateFiles(privateDirectory);
  const gitDirectory = privateGitDirectory(privateDirectory);
  return [
    join(gitDirectory, 'HEAD'),
    ...listGoverningIn(gitDirectory),
    excludes,
    join(objects, 'info', 'alternates'),
    join(privateDirectory, repositoryFile),
  ];
}

function listGoverning({ gitDirectory, commonDirectory }: Repository): readonly string[] {
  const own = gitDirectory === commonDirectory ? [] : listGoverningIn(gitDirectory);
  return [...own, ...listGoverningIn(commonDirectory), ...listModules(join(commonDirectory, 'modules'))];
}

function listGoverningIn(directory: string): readonly string[] {
  return [
    ...files.map((name) => join(directory, name)),
    ...folders.flatMap((name) => listFiles(join(directory, name))).filter((path) => !isList(directory, path)),
  ];
}

/** `git gc` writes this list for dumb servers. */
function isList(directory: string, path: string): boolean {
  return path === join(directory, 'info', 'refs');
}

/** The repositories of submodules, whose names may contain `/`. */
function listModules(directory: string): readonly string[] {
  if (!isFolder(directory)) return [];
  if (existsSync(join(directory, 'HEAD')))
    return [...listGoverningIn(directory), ...listModules(join(directory, 'modules'))];
  return foldersIn(directory).flatMap((name) => listModules(join(directory, name)));
}

/** Files outside the repository and the worktree that settings come from or point to. */
function listOutside({ repository, settings, env }: RepositoryWatchOptions): readonly string[] {
  const { root, commonDirectory } = repository;
  const { HOME: home = '/', XDG_CONFIG_HOME } = env;
  const defaults = join(XDG_CONFIG_HOME || join(home, '.config'), 'git');
  const pointed = ['core.attributesfile', 'core.excludesfile'].flatMap(
    (name) => pathSettingOf(settings, name, { root, home }) ?? [],
  );
  const hooks = pathSettingOf(settings, 'core.hookspath', { root, home });
  const all = [
    ...settings.files,
    ...['config', 'ignore', 'attributes'].map((name) => join(defaults, name)),
    join(home, '.gitconfig'),
    ...pointed,
    ...(hooks === undefined || isInside(hooks, root) ? [] : listFiles(hooks)),
  ];
  // What is in the worktree is recorded, and the rest of `.git` is listed above.
  return [...new Set(all)].filter((path) => !isInside(path, root) && !isInside(path, commonDirectory));
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory + sep);
}

/** `git pack-refs` moves replaced objects to the file with all packed branches. */
function keepReplacedRefs(file: string): KeptFiles {
  const lines = () => (readText(file) ?? '').split('\n');
  const isReplaced = (line: string) => line.includes(' refs/replace/');
  const noted = new Set(lines().filter(isReplaced));
  let stamp = stampOf(file);
  return {
    restore() {
      const now = stampOf(file);
      if (now === stamp) return [];
      stamp = now;
      const kept = lines().filter((line) => !isReplaced(line) || noted.has(line));
      if (kept.length === lines().length) return [];
      writeFileSync(`${file}.gump`, kept.join('\n'));
      renameSync(`${file}.gump`, file);
      stamp = stampOf(file);
      return [file];
    },
  };
}

/** Follows no link: if a link or a file is in the place of the folder, this is the file to note. */
function listFiles(directory: string): readonly string[] {
  if (!isFolder(directory)) return stampOf(directory) === '' ? [] : [directory];
  return readdirSync(directory, { withFileTypes: true, recursive: true }).flatMap((entry) =>
    entry.isDirectory() ? [] : [join(entry.parentPath, entry.name)],
  );
}

function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

function foldersIn(directory: string): readonly string[] {
  if (!isFolder(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
