/**
 * The payload of an entry of a chain: a manifest, the new bytes of files, and new git objects. The manifest says how
 * the files are put together from the bytes of this entry and of those that it builds on. Pure.
 */
import type { ArchiveEntry } from './archive.js';
import { findCollision, findPathProblem } from './archive-path.js';
import { packEntriesOf, packsIn } from './checkpoint-contents.js';

export interface ChainManifest {
  readonly version: 1;
  /** How often the bytes of this entry were written again (`chain-policy.ts`). */
  readonly level: number;
  /** What the run had stored before this entry, in bytes. */
  readonly storedBefore: number;
  /** Base64. One for each entry of the chain, so that a secret that opens the newest entry opens all. */
  readonly dataKeys: readonly string[];
  /** The files that are new or changed. */
  readonly files: readonly ManifestFile[];
  /** Paths of files that are gone. */
  readonly removed: readonly string[];
  /** The snapshot commits whose objects are in this entry. */
  readonly commits: readonly string[];
}

export interface ManifestFile {
  readonly path: string;
  readonly length: number;
  /** Hexadecimal, of the whole file. */
  readonly sha256: string;
  /** The file begins with this many bytes of its version in the base. */
  readonly keep: number;
  /** What follows: place of the entry in the chain, offset in its data, length. */
  readonly parts: readonly (readonly [number, number, number])[];
}

export interface EntryPayload {
  readonly manifest: ChainManifest;
  /** The new bytes of all files. */
  readonly data: Buffer;
  /** Git objects, in the order in which they must be unpacked. */
  readonly packs: readonly Buffer[];
}

const [manifestPath, dataPath] = ['manifest.json', 'data'];

export function toArchive({ manifest, data, packs }: EntryPayload): readonly ArchiveEntry[] {
  return [
    { path: manifestPath, content: Buffer.from(JSON.stringify(manifest)) },
    { path: dataPath, content: data },
    ...packEntriesOf(packs),
  ];
}

/** `undefined` if a part is missing or the manifest is invalid. */
export function fromArchive(entries: readonly ArchiveEntry[]): EntryPayload | undefined {
  const contentOf = (path: string) => entries.find((entry) => entry.path === path)?.content;
  const [manifestBytes, data, packs] = [contentOf(manifestPath), contentOf(dataPath), packsIn(entries)];
  const manifest = manifestBytes && readManifest(manifestBytes);
  return manifest && data && packs && { manifest, data, packs };
}

function readManifest(bytes: Buffer): ChainManifest | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isManifest(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function isManifest(value: unknown): value is ChainManifest {
  if (!isObject(value) || value.version !== 1) return false;
  const { level, storedBefore, dataKeys, files, removed, commits } = value;
  if (!isNumber(level) || !isNumber(storedBefore)) return false;
  if (!isListOf(dataKeys, isDataKey) || !isListOf(files, isManifestFile)) return false;
  return isListOf(removed, isText) && isListOf(commits, isCommit);
}

function isManifestFile(value: unknown): value is ManifestFile {
  if (!isObject(value)) return false;
  const { path, length, sha256, keep, parts } = value;
  if (!isText(path) || !isText(sha256) || !isNumber(length) || !isNumber(keep)) return false;
  return isListOf(parts, (part) => isListOf(part, isNumber) && part.length === 3);
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[];
function isListOf(value: unknown, isItem: (item: unknown) => boolean): value is readonly unknown[];
function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isDataKey(value: unknown): value is string {
  return isText(value) && Buffer.from(value, 'base64').length === 32;
}

function isCommit(value: unknown): value is string {
  return isText(value) && /^[0-9a-f]{40,64}$/.test(value);
}

/** Why files with these paths cannot be in one checkpoint. `undefined` if they can. */
export function findPathsProblem(paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const problem = findPathProblem(path);
    if (problem !== undefined) return `the path ${JSON.stringify(path)} ${problem}`;
  }
  const [first, second] = findCollision(paths) ?? [];
  if (first === undefined || second === undefined) return undefined;
  return `${JSON.stringify(first)} and ${JSON.stringify(second)} are the same file on some disks`;
}
