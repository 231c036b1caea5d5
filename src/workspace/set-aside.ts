/**
 * Moves files out of the worktree and puts others in their place, and undoes that. What was moved is in a folder in
 * the git directory, next to a list of it: if the process is killed, `post` or the next job in this checkout finds it
 * (the runner empties its own folder for temporary files before each job). The list is written before anything moves.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { entriesIn, lstatNs } from './agent-files.js';
import { absolutePath, type BytePath } from './byte-path.js';
import { isBehindLink } from './path-status.js';
import type { Repository } from './repository.js';
import { type FileContent, readContent, signatureOf } from './start-files.js';

export interface SetAsideList {
  readonly version: 1;
  /** `moving`: a file that should be in its place may not be there yet. */
  readonly phase: 'moving' | 'done';
  /** Files and folders that were moved away; the number is their name in the folder. */
  readonly moved: readonly (MovedFile & { readonly number: number })[];
  /** What was put in the worktree instead, and the folders that were created for it. */
  readonly placed: readonly { readonly path: BytePath; readonly signature: string }[];
  readonly created: readonly BytePath[];
}

export interface MovedFile {
  readonly path: BytePath;
  /** The file or folder with an agent's name that it belongs to. */
  readonly root: BytePath;
}

export interface Placement {
  readonly path: BytePath;
  readonly content: FileContent;
  /** Missing folders that must be created, the highest first. */
  readonly folders: readonly BytePath[];
}

export function setAsideFolder(gitDirectory: string): string {
  return join(gitDirectory, 'gump-settings');
}

const listName = 'list.json';

/** Moves `files` away and puts `placements` in the worktree. */
export function setAside(
  root: string,
  folder: string,
  files: readonly MovedFile[],
  placements: readonly Placement[],
): SetAsideList {
  const list: SetAsideList = {
    version: 1,
    phase: 'moving',
    moved: files.map((file, number) => ({ ...file, number })),
    placed: placements.map(({ path, content }) => ({ path, signature: signatureOf(content) })),
    created: placements.flatMap(({ folders }) => folders),
  };
  // What a killed run left is no longer needed: `restoreLeftover` was called when the workspace was opened.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  writeList(folder, list);
  for (const { path, number } of list.moved)
    move(absolutePath(root, path), Buffer.from(join(folder, `${number}`)));
  for (const placement of placements) place(root, folder, placement);
  const done = { ...list, phase: 'done' } as const;
  writeList(folder, done);
  return done;
}

function writeList(folder: string, list: SetAsideList): void {
  const temporary = join(folder, `${listName}.new`);
  writeFileSync(temporary, JSON.stringify(list), { mode: 0o600 });
  renameSync(temporary, join(folder, listName));
}

/** `undefined` if there is none, or it was not completely written: then nothing had been moved. */
export function readSetAsideList(folder: string): SetAsideList | undefined {
  try {
    const list = JSON.parse(readFileSync(join(folder, listName), 'utf8')) as SetAsideList;
    const paths = [...list.moved, ...list.placed].map(({ path }) => path);
    return list.version === 1 && paths.every(isInWorktree) ? list : undefined;
  } catch {
    return undefined;
  }
}

/** An agent may have written the list. */
function isInWorktree(path: BytePath): boolean {
  return !path.split('/').some((name) => ['', '.', '..', '.git'].includes(name));
}

function place(root: string, folder: string, { path, content, folders }: Placement): void {
  for (const missing of folders) mkdirSync(absolutePath(root, missing), { recursive: true });
  const temporary = join(folder, 'placing');
  if (content.kind === 'link') symlinkSync(content.target, temporary);
  else {
    writeFileSync(temporary, content.content, { flag: 'wx' });
    chmodSync(temporary, content.isExecutable ? 0o755 : 0o644);
  }
  move(Buffer.from(temporary), absolutePath(root, path));
}

function move(from: Buffer, to: Buffer): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    // The git directory is on another file system.
    const [source, target] = [from, to].map((path) => path.toString()) as [string, string];
    cpSync(source, target, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    rmSync(source, { recursive: true });
  }
}

/**
 * Undoes `setAside` as far as the files are still as it left them. A file that was changed or removed since then stays
 * as it is now. The folder is removed at the end.
 */
export function putBack(root: string, folder: string, list: SetAsideList): void {
  const touched = removePlaced(root, list);
  for (const { path, root: owner, number } of list.moved) {
    if (touched.has(path) || !hasRealParents(root, path)) continue;
    // Whoever removed that folder removed the file with it.
    if (!isFolder(absolutePath(root, parentOf(owner)))) continue;
    mergeBack(root, folder, `${number}`, path);
  }
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Whether `putBack` would replace what the worktree has at this path, a path of a file in the worktree or in its last
 * recorded tree, with what was there before `setAside`.
 */
export function willBePutBack(root: string, { placed, moved }: SetAsideList, path: BytePath): boolean {
  const own = placed.find((one) => one.path === path);
  if (own !== undefined) return isStillPlaced(root, own);
  if (lstatNs(absolutePath(root, path)) !== undefined && hasRealParents(root, path)) return false;
  const file = moved.find((one) => path === one.path || path.startsWith(`${one.path}/`));
  if (file === undefined || !hasRealParents(root, file.path)) return false;
  if (!isFolder(absolutePath(root, parentOf(file.root)))) return false;
  const inItsPlace = placed.find((one) => one.path === file.path);
  const willBeEmpty = inItsPlace !== undefined && isStillPlaced(root, inItsPlace);
  if (inItsPlace !== undefined && !willBeEmpty) return false;
  return willBeEmpty || !hasFileAbove(root, path, file.path);
}

/** Whether a file is in the place of a folder of the path, from `top` downwards. */
function hasFileAbove(root: string, path: BytePath, top: BytePath): boolean {
  for (let folder = parentOf(path); folder.length >= top.length; folder = parentOf(folder)) {
    const there = lstatNs(absolutePath(root, folder));
    if (there !== undefined && !there.isDirectory()) return true;
  }
  return false;
}

/** Whether the file is the one that was put there. */
function isStillPlaced(root: string, { path, signature }: SetAsideList['placed'][number]): boolean {
  const stats = hasRealParents(root, path) ? lstatNs(absolutePath(root, path)) : undefined;
  const content = stats === undefined ? undefined : readContent(root, path, stats);
  return content !== undefined && signatureOf(content) === signature;
}

/** Returns the paths at which the file is not the one that was put there. */
function removePlaced(root: string, { placed, created, phase }: SetAsideList): ReadonlySet<BytePath> {
  const touched = new Set<BytePath>();
  for (const file of placed) {
    const { path } = file;
    const stats = hasRealParents(root, path) ? lstatNs(absolutePath(root, path)) : undefined;
    if (isStillPlaced(root, file)) rmSync(absolutePath(root, path));
    else if (stats !== undefined || phase === 'done') touched.add(path);
  }
  for (const path of [...created].reverse()) removeEmpty(absolutePath(root, path));
  return touched;
}

/** Moves `from`, a path in `folder`, to `path`. Files that exist in the worktree by now stay. */
function mergeBack(root: string, folder: string, from: BytePath, path: BytePath): void {
  const [source, target] = [absolutePath(folder, from), absolutePath(root, path)];
  if (lstatNs(source) === undefined) return;
  if (lstatNs(target) === undefined) {
    mkdirSync(absolutePath(root, parentOf(path)), { recursive: true });
    move(source, target);
    return;
  }
  if (!isFolder(source) || !isFolder(target)) return;
  for (const entry of entriesIn(folder, from)) {
    const name = entry.name.toString('latin1');
    mergeBack(root, folder, `${from}/${name}`, `${path}/${name}`);
  }
}

function parentOf(path: BytePath): BytePath {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function isFolder(path: Buffer): boolean {
  return lstatNs(path)?.isDirectory() === true;
}

/** A folder above it may be a link by now, through which files outside the worktree would be written. */
function hasRealParents(root: string, path: BytePath): boolean {
  return !isBehindLink(path, root, new Map());
}

function removeEmpty(folder: Buffer): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is gone, or a file was added to it.
  }
}

/** In `.gump/out`, which a clean checkout removes: without it, the files are not those that the killed run left. */
export function leftoverMark(directory: string): string {
  return join(directory, '.gump', 'out', '.settings-set-aside');
}

export function removeLeftoverMark(directory: string): void {
  try {
    rmSync(leftoverMark(directory), { force: true });
  } catch {
    // An agent has put a file in the place of the folder.
  }
}

/**
 * Undoes what a killed process left. In the checkout of a later job (`isLaterJob`), only if nobody has cleaned it: in a
 * clean checkout the files of the killed run would be new.
 */
export function restoreLeftover(
  { root, directory, gitDirectory }: Pick<Repository, 'root' | 'directory' | 'gitDirectory'>,
  isLaterJob: boolean,
): void {
  const folder = setAsideFolder(gitDirectory);
  if (!existsSync(folder)) return;
  const list = readSetAsideList(folder);
  if (list !== undefined && (!isLaterJob || existsSync(leftoverMark(directory)))) putBack(root, folder, list);
  rmSync(folder, { recursive: true, force: true });
  removeLeftoverMark(directory);
}
