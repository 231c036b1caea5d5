/**
 * Notes the settings and instructions of agent CLIs that are in the worktree when the run starts: tracked, untracked
 * and ignored ones. They are kept in memory, where no agent can change them.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, readFileSync, readlinkSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize } from 'node:path/posix';
import { defined } from '../optional-keys.js';
import { type AgentFileFinder, type AgentFileRoot, entriesIn, lstatNs } from './agent-files.js';
import { absolutePath, type BytePath } from './byte-path.js';

export type FileContent =
  | { readonly kind: 'file'; readonly content: Buffer; readonly isExecutable: boolean }
  | { readonly kind: 'link'; readonly target: Buffer };

export interface StartFile extends AgentFileRoot {
  /** From `stampOf`. */
  stamp: string;
  /** From `signatureOf`. Absent for a pipe, an unreadable or a very large file. */
  readonly signature?: string;
  /** Absent for a large file: if it changes, agents run without it. */
  readonly content?: FileContent;
}

export interface StartFiles {
  readonly files: ReadonlyMap<BytePath, StartFile>;
  /** The folders of these files up to their root, also empty ones. */
  readonly folders: ReadonlySet<BytePath>;
  /** Where links among these files lead to in the worktree. The files there belong to the class of the link. */
  readonly linkTargets: readonly AgentFileRoot[];
}

/** Larger files, and files beyond this sum, are not copied. */
const maxCopiedBytes = 1024 * 1024;
const maxTotalBytes = 32 * 1024 * 1024;
/** Larger files are not read. */
const maxReadBytes = 32 * 1024 * 1024;

export function noteStartFiles(root: string, finder: AgentFileFinder): StartFiles {
  const files = new Map<BytePath, StartFile>();
  const folders = new Set<BytePath>();
  const linkTargets: AgentFileRoot[] = [];
  let freeBytes = maxTotalBytes;
  const roots: AgentFileRoot[] = [...finder.find()];
  // Grows while it is read: by the targets of links.
  for (const { path: rootPath, fileClass } of roots) {
    for (const { path, stats } of leavesOf(root, rootPath, () => true, folders)) {
      if (files.has(path)) continue;
      const content = readContent(root, path, stats);
      const size = content?.kind === 'file' ? content.content.length : 0;
      const isCopied = size <= Math.min(maxCopiedBytes, freeBytes);
      if (isCopied) freeBytes -= size;
      files.set(path, {
        path: rootPath,
        fileClass,
        stamp: stampOf(stats),
        ...defined({ signature: content && signatureOf(content), content: isCopied ? content : undefined }),
      });
      const target = content?.kind === 'link' ? targetInWorktree(path, content.target) : undefined;
      if (target === undefined || roots.some((one) => isAtOrBelow(target, one.path))) continue;
      linkTargets.push({ path: target, fileClass });
      roots.push({ path: target, fileClass });
    }
  }
  return { files, folders, linkTargets };
}

export interface AgentFileLeaf {
  readonly path: BytePath;
  readonly stats: BigIntStats;
}

/**
 * The files and links at or below a path. A folder for which `isKnown` is false counts as one file. `visited` gets the
 * folders that were searched.
 */
export function* leavesOf(
  root: string,
  path: BytePath,
  isKnown: (folder: BytePath) => boolean,
  visited: { add(folder: BytePath): unknown } = new Set(),
): Generator<AgentFileLeaf> {
  const stats = lstatNs(absolutePath(root, path));
  if (stats === undefined) return;
  if (!stats.isDirectory() || !isKnown(path)) {
    yield { path, stats };
    return;
  }
  visited.add(path);
  for (const entry of entriesIn(root, path))
    yield* leavesOf(root, `${path}/${entry.name.toString('latin1')}`, isKnown, visited);
}

/** A text that changes when the file changes: nobody can set the time of a change. */
export function stampOf({ ino, ctimeNs, size, mode }: BigIntStats): string {
  return `${ino} ${ctimeNs} ${size} ${mode}`;
}

export function readContent(root: string, path: BytePath, stats: BigIntStats): FileContent | undefined {
  const file = absolutePath(root, path);
  try {
    if (stats.isSymbolicLink()) return { kind: 'link', target: readlinkSync(file, { encoding: 'buffer' }) };
    if (!stats.isFile() || Number(stats.size) > maxReadBytes) return undefined;
    return { kind: 'file', content: readFileSync(file), isExecutable: (stats.mode & 0o100n) !== 0n };
  } catch {
    return undefined;
  }
}

/** The same for the same kind and content. */
export function signatureOf(content: FileContent): string {
  if (content.kind === 'link') return `link ${content.target.toString('latin1')}`;
  const hash = createHash('sha256').update(content.content).digest('hex');
  return `file ${content.isExecutable ? 'x' : '-'} ${hash}`;
}

export function isAtOrBelow(path: BytePath, folder: BytePath): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** Only one step: a link to a link is followed when its target is searched. */
function targetInWorktree(link: BytePath, target: Buffer): BytePath | undefined {
  const text = target.toString('latin1');
  if (isAbsolute(text)) return undefined;
  const path = normalize(join(dirname(link), text)).replace(/\/$/, '');
  return path === '.' || path === '..' || path.startsWith('../') || isAtOrBelow(path, '.git')
    ? undefined
    : path;
}
