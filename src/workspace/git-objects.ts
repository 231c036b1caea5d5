/**
 * Writes trees and commits into an object directory without starting git, in git's format for loose objects
 * (gitformat-loose(5), git 2.48). Starting git for each of them takes longer than everything else in a snapshot.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { type BytePath, bytesOf } from './byte-path.js';
import type { TreeEntry } from './git-tree.js';

export interface ObjectWriter {
  /** A tree with exactly these files. Their blobs are not read. */
  tree(files: ReadonlyMap<BytePath, TreeEntry>): string;
  commit(tree: string, parent: string | undefined, message: string): string;
}

export interface ObjectWriterOptions {
  /** The object directory. */
  readonly directory: string;
  readonly format: 'sha1' | 'sha256';
  /** In milliseconds, for the dates of commits. */
  now(): number;
}

const author = 'gump-action <gump-action@localhost>';

export function openObjectWriter({ directory, format, now }: ObjectWriterOptions): ObjectWriter {
  const write = (type: 'tree' | 'commit', content: Buffer): string => {
    const whole = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
    const id = createHash(format).update(whole).digest('hex');
    writeLooseObject(directory, id, whole);
    return id;
  };
  return {
    tree: (files) => writeTree(files, (content) => write('tree', content)),
    commit(tree, parent, message) {
      const date = `${author} ${Math.floor(now() / 1000)} +0000`;
      const parents = parent === undefined ? '' : `parent ${parent}\n`;
      const text = `tree ${tree}\n${parents}author ${date}\ncommitter ${date}\n\n${message}\n`;
      return write('commit', Buffer.from(text, 'utf8'));
    },
  };
}

/** An object never changes, so one that exists is complete: it gets its name only when it is. */
function writeLooseObject(directory: string, id: string, whole: Buffer): void {
  const folder = join(directory, id.slice(0, 2));
  const file = join(folder, id.slice(2));
  if (existsSync(file)) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, deflateSync(whole, { level: 1 }), { mode: 0o400 });
  renameSync(temporary, file);
}

function writeTree(files: ReadonlyMap<BytePath, TreeEntry>, write: (content: Buffer) => string): string {
  const entries = new Map<string, TreeEntry>();
  const folders = new Map<string, Map<BytePath, TreeEntry>>();
  for (const [path, entry] of files) {
    const end = path.indexOf('/');
    if (end < 0) entries.set(path, entry);
    else {
      const name = path.slice(0, end);
      const inner = folders.get(name) ?? new Map<BytePath, TreeEntry>();
      folders.set(name, inner.set(path.slice(end + 1), entry));
    }
  }
  for (const [name, inner] of folders) entries.set(name, { mode: '40000', id: writeTree(inner, write) });
  return write(Buffer.concat([...entries].sort(byName).map(toRecord)));
}

/** git sorts bytes, and a folder as if its name ended with `/`. */
function byName(one: readonly [string, TreeEntry], other: readonly [string, TreeEntry]): number {
  return Buffer.compare(sortKey(one), sortKey(other));
}

function sortKey([name, { mode }]: readonly [string, TreeEntry]): Buffer {
  return bytesOf(mode === '40000' ? `${name}/` : name);
}

function toRecord([name, { mode, id }]: readonly [string, TreeEntry]): Buffer {
  return Buffer.concat([Buffer.from(`${mode} `), bytesOf(name), Buffer.from([0]), Buffer.from(id, 'hex')]);
}
