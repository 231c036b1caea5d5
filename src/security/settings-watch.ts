/**
 * Watches settings outside the worktree: in the home of the runner user, and in the folders above the directories of
 * agents. An agent could change them so that later agents run code, or send their keys elsewhere.
 */
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { absolutePath, type BytePath, bytePathToText, toBytePath } from '../workspace/byte-path.js';
import { type FileContent, leavesOf, readContent, signatureOf, stampOf } from '../workspace/start-files.js';
import type { Watch, WatchedChange } from './watch.js';

export interface WatchedFile {
  /** Absolute path of a file or a folder. */
  readonly path: string;
  /** The part of the text that matters, if programs may write to the file. A missing file has the text ''. */
  relevantPart?(text: string): string;
  /** A program makes the file by itself: a change is undone without a word. */
  readonly isCache?: true;
}

interface NotedFile {
  stamp: string;
  readonly mode: number;
  readonly signature?: string;
  readonly content?: FileContent;
}

/** All files at or below one watched path. */
interface NotedPath extends WatchedFile {
  readonly files: Map<BytePath, NotedFile>;
}

/** More is not noted: such a folder belongs to another program. */
const maxFiles = 2000;
const maxCopiedBytes = 1024 * 1024;
/** A message names at most this many files. */
const maxNamedFiles = 10;

/** Notes the files now. `home`: shown as `~`. */
export function createSettingsWatch(watched: readonly WatchedFile[], home: string): Watch {
  const noted = watched.flatMap((file) => noteFile(file) ?? []);
  return {
    async restore() {
      const changed = noted.flatMap((one) => {
        const paths = restorePath(one);
        return one.isCache ? [] : paths;
      });
      if (changed.length === 0) return [];
      const names = [...new Set(changed)].map((path) => `\`${shorten(bytePathToText(path), home)}\``);
      const more = names.length > maxNamedFiles ? ` and ${names.length - maxNamedFiles} more` : '';
      const change: WatchedChange = {
        what: `settings files outside the worktree (${names.slice(0, maxNamedFiles).join(', ')}${more})`,
        effect: 'warning',
      };
      return [change];
    },
  };
}

function shorten(path: string, home: string): string {
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

const isFolder = () => true;

/** `undefined` if there are too many files. */
function noteFile(file: WatchedFile): NotedPath | undefined {
  const files = new Map<BytePath, NotedFile>();
  for (const { path, stats } of leavesOf('', relativePath(file.path), isFolder)) {
    if (files.size === maxFiles) return undefined;
    const content = readContent('', path, stats);
    const isSmall = content?.kind !== 'file' || content.content.length <= maxCopiedBytes;
    files.set(path, {
      stamp: stampOf(stats),
      mode: Number(stats.mode & 0o777n),
      ...(content === undefined ? {} : { signature: signatureOf(content) }),
      ...(content === undefined || !isSmall ? {} : { content }),
    });
  }
  return { ...file, files };
}

/** Paths are relative to the root of the file system. */
function relativePath(path: string): BytePath {
  return toBytePath(path.replace(/^\/+/, ''));
}

/** Returns the paths that were changed. */
function restorePath({ path: watchedPath, files, relevantPart }: NotedPath): readonly BytePath[] {
  const changed: BytePath[] = [];
  const present = new Set<BytePath>();
  // Without a limit: of many new files, each one could be the one that a CLI reads.
  for (const { path, stats } of leavesOf('', relativePath(watchedPath), isFolder)) {
    present.add(path);
    const before = files.get(path);
    const stamp = stampOf(stats);
    if (before?.stamp === stamp) continue;
    const content = readContent('', path, stats);
    if (before !== undefined && content !== undefined && signatureOf(content) === before.signature) {
      before.stamp = stamp;
      continue;
    }
    if (isIrrelevant(relevantPart, before?.content, content)) continue;
    changed.push(path);
    restoreFile(path, before);
    renote(path, before);
  }
  for (const [path, before] of files) {
    if (present.has(path) || isIrrelevant(relevantPart, before.content, undefined)) continue;
    changed.push(path);
    restoreFile(path, before);
    renote(path, before);
  }
  return changed.map((path) => `/${path}`);
}

function isIrrelevant(
  relevantPart: WatchedFile['relevantPart'],
  before: FileContent | undefined,
  after: FileContent | undefined,
): boolean {
  if (relevantPart === undefined || before?.kind === 'link' || after?.kind === 'link') return false;
  const part = (content: typeof before) => relevantPart(content?.content.toString('utf8') ?? '');
  return part(before) === part(after);
}

/** A file that could not be copied stays as it is: it is reported, and nothing else can be done. */
function restoreFile(path: BytePath, before: NotedFile | undefined): void {
  const file = absolutePath('', path);
  if (before === undefined) rmSync(file, { recursive: true, force: true });
  if (before?.content === undefined) return;
  mkdirSync(dirname(file.toString()), { recursive: true });
  // Renamed, because a CLI may be reading the file.
  const temporary = absolutePath('', `${path}.gump`);
  rmSync(temporary, { force: true });
  if (before.content.kind === 'link') symlinkSync(before.content.target, temporary);
  else {
    writeFileSync(temporary, before.content.content, { flag: 'wx', mode: 0o600 });
    chmodSync(temporary, before.mode);
  }
  renameSync(temporary, file);
}

function renote(path: BytePath, before: NotedFile | undefined): void {
  if (before === undefined) return;
  for (const { stats } of leavesOf('', path, () => false)) before.stamp = stampOf(stats);
}
