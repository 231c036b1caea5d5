/**
 * Gives an agent the settings files of the start tree. An earlier step may have written files that make the CLI of the
 * next agent run code, allow more, or send its key elsewhere. They are part of that step's result but must not take
 * effect in this run, so they are set aside while an agent runs.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path/posix';
import { UserError } from '../failure.js';
import {
  type AgentFileClass,
  type AgentFileFinder,
  type AgentFileNames,
  type AgentFileRoot,
  lstatNs,
} from './agent-files.js';
import { absolutePath, type BytePath, bytePathToText, toBytePath } from './byte-path.js';
import { wasIgnored } from './left-out-files.js';
import { isBehindLink } from './path-status.js';
import type { Repository } from './repository.js';
import {
  leftoverMark,
  type MovedFile,
  type Placement,
  putBack,
  readSetAsideList,
  removeLeftoverMark,
  type SetAsideList,
  setAside,
  setAsideFolder,
  willBePutBack,
} from './set-aside.js';
import {
  type AgentFileLeaf,
  isAtOrBelow,
  leavesOf,
  readContent,
  type StartFile,
  type StartFiles,
  signatureOf,
  stampOf,
} from './start-files.js';
import type { SetAsideOptions } from './workspace.js';

export interface StartSettingsOptions {
  readonly repository: Repository;
  readonly names: AgentFileNames;
  readonly finder: AgentFileFinder;
  readonly start: StartFiles;
  /** For the worktree of a parallel branch: the paths that were ignored in the main worktree. It has none of them. */
  readonly ignoredInMain?: ReadonlySet<BytePath>;
}

export interface StartSettings {
  /** @throws UserError if a file cannot be set aside. Then the agent must not start. */
  setAside(options: SetAsideOptions): ActiveStartSettings;
}

export interface ActiveStartSettings {
  readonly paths: readonly string[];
  putBack(): void;
  /** Whether `putBack` would undo the difference between the worktree and its last recorded tree at this path. */
  isUndoneAt(path: BytePath): boolean;
}

export function openStartSettings(options: StartSettingsOptions): StartSettings {
  const { repository, names, finder, start } = options;
  const { root, directory } = repository;
  // Files of a branch have the same content but other times.
  const files = new Map([...start.files].map(([path, file]) => [path, { ...file }]));
  return {
    setAside({ withInstructions }) {
      requireRealDirectory(root, directory);
      const isWanted = (fileClass: AgentFileClass) => withInstructions || fileClass === 'settings';
      const roots = [...finder.find(), ...start.linkTargets].filter((one) => isWanted(one.fileClass));
      const found = compare(root, roots, { ...start, files });
      const placements = findPlacements(options, files, found, isWanted);
      const moved = [...found.changed].map(([path, owner]) => ({ path, root: owner }));
      const undo = () => {
        for (const path of files.keys()) {
          const start = findCompletion(root, files, names, path);
          if (start !== undefined) writeFileSync(absolutePath(root, path), start);
        }
      };
      const isCompleted = (path: BytePath) => findCompletion(root, files, names, path) !== undefined;
      if (moved.length + placements.length === 0)
        return { paths: [], putBack: undo, isUndoneAt: isCompleted };
      const list = move(repository, moved, placements);
      const paths = new Set([...moved, ...placements].map(({ path }) => bytePathToText(path)));
      return {
        paths: [...paths].sort(),
        putBack() {
          undo();
          putBack(root, setAsideFolder(repository.gitDirectory), list);
          removeLeftoverMark(directory);
        },
        isUndoneAt: (path) => willBePutBack(root, list, path) || isCompleted(path),
      };
    },
  };
}

function move(
  { root, directory, gitDirectory }: Repository,
  moved: readonly MovedFile[],
  placements: readonly Placement[],
): SetAsideList {
  const folder = setAsideFolder(gitDirectory);
  const mark = leftoverMark(directory);
  try {
    mkdirSync(dirname(mark), { recursive: true });
    writeFileSync(mark, '');
    return setAside(root, folder, moved, placements);
  } catch (error) {
    const list = readSetAsideList(folder);
    if (list !== undefined) putBack(root, folder, list);
    removeLeftoverMark(directory);
    throw new UserError(
      `Settings files of agents that an earlier step changed could not be set aside, so no agent was started (${String(error)}). Check the permissions of the files and the free disk space.`,
    );
  }
}

/**
 * The content at the start, if a CLI completed the file at this path since. A CLI that completes its own settings at
 * every start would otherwise fail a step that must change no files.
 */
function findCompletion(
  root: string,
  files: ReadonlyMap<BytePath, StartFile>,
  { completed = [] }: AgentFileNames,
  path: BytePath,
): Buffer | undefined {
  const file = files.get(path);
  const rule = completed.find((one) => path === one.path || path.endsWith(`/${one.path}`));
  if (rule === undefined || file?.content?.kind !== 'file') return undefined;
  const stats = isRealFolder(root, dirname(path)) ? lstatNs(absolutePath(root, path)) : undefined;
  if (stats === undefined || stampOf(stats) === file.stamp) return undefined;
  const now = readContent(root, path, stats);
  if (now?.kind !== 'file' || now.content.equals(file.content.content)) return undefined;
  const [before, after] = [file.content, now].map(({ content }) =>
    rule.relevantPart(content.toString('utf8')),
  );
  return before === after ? file.content.content : undefined;
}

/** Agents run in this directory. Through a link they would read the settings of another one. */
function requireRealDirectory(root: string, directory: string): void {
  const path = toBytePath(directory.slice(root.length + 1));
  if (path === '' || !isBehindLink(`${path}/x`, root, new Map())) return;
  throw new UserError(
    `The working directory ${directory} is behind a symbolic link that an earlier step created, so no agent was started in it. Do not replace directories above the working directory.`,
  );
}

interface Comparison {
  /**
   * Files that are not those of the start tree, with the root that each belongs to. A folder that did not exist then is
   * one path.
   */
  readonly changed: ReadonlyMap<BytePath, BytePath>;
  readonly unchanged: ReadonlySet<BytePath>;
}

function compare(root: string, roots: readonly AgentFileRoot[], start: StartFiles): Comparison {
  const changed = new Map<BytePath, BytePath>();
  const unchanged = new Set<BytePath>();
  for (const { path: owner } of roots) {
    for (const leaf of leavesOf(root, owner, (folder) => start.folders.has(folder))) {
      const file = start.files.get(leaf.path);
      if (file !== undefined && isUnchanged(root, leaf, file)) unchanged.add(leaf.path);
      else changed.set(leaf.path, owner);
    }
  }
  return { changed, unchanged };
}

function isUnchanged(root: string, { path, stats }: AgentFileLeaf, file: StartFile): boolean {
  const stamp = stampOf(stats);
  if (stamp === file.stamp) return true;
  const content = file.signature === undefined ? undefined : readContent(root, path, stats);
  if (content === undefined || signatureOf(content) !== file.signature) return false;
  file.stamp = stamp;
  return true;
}

/** The start files that are missing once the changed ones are away. */
function findPlacements(
  { repository, ignoredInMain }: StartSettingsOptions,
  files: ReadonlyMap<BytePath, StartFile>,
  { changed, unchanged }: Comparison,
  isWanted: (fileClass: AgentFileClass) => boolean,
): readonly Placement[] {
  const isExpected = (path: BytePath) =>
    ignoredInMain === undefined || changed.has(path) || !wasIgnored(path, ignoredInMain);
  return [...files].flatMap(([path, { path: owner, fileClass, content }]) => {
    if (!isWanted(fileClass) || unchanged.has(path) || content === undefined || !isExpected(path)) return [];
    // Nothing to govern: the folder that the file was for is gone, or behind a link.
    if (!isRealFolder(repository.root, dirname(owner))) return [];
    return [{ path, content, folders: missingFolders(repository.root, path, owner, changed) }];
  });
}

function isRealFolder(root: string, folder: BytePath): boolean {
  if (folder === '.') return true;
  return (
    lstatNs(absolutePath(root, folder))?.isDirectory() === true && !isBehindLink(folder, root, new Map())
  );
}

/** The folders between the root and the file that do not exist once the changed files are away. */
function missingFolders(
  root: string,
  path: BytePath,
  owner: BytePath,
  changed: ReadonlyMap<BytePath, BytePath>,
): readonly BytePath[] {
  const missing: BytePath[] = [];
  for (let folder = path; folder !== owner; ) {
    folder = dirname(folder);
    const isMoved = [...changed.keys()].some((one) => isAtOrBelow(folder, one));
    if (isMoved || lstatNs(absolutePath(root, folder))?.isDirectory() !== true) missing.unshift(folder);
  }
  return missing;
}
