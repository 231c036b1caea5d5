/**
 * An installed CLI as one stream of bytes: length of the list u32 | list | contents of its files, one after the other.
 * The same files give the same bytes, so the hash of the stream is the identity of the installation.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { CliArchiveError, type CliFilesList, encodeList, filesWithContent } from './cli-files-list.js';

const pieceBytes = 4 * 1024 * 1024;

/** @throws CliArchiveError if the files cannot be kept in the cache, or change meanwhile. */
export async function* readCli(folder: string): AsyncGenerator<Buffer, void, undefined> {
  const list = listCli(folder);
  const bytes = encodeList(list);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  yield Buffer.concat([length, bytes]);
  for (const { path, size } of filesWithContent(list)) yield* readContent(join(folder, path), size);
}

/** SHA-256 of the stream. */
export async function hashCli(folder: string): Promise<string> {
  const { pieces, hash } = hashed(readCli(folder));
  for await (const _ of pieces);
  return hash();
}

/** The same pieces, and the SHA-256 of those that were read. */
export function hashed(stream: AsyncIterable<Buffer>) {
  const sum = createHash('sha256');
  async function* pieces() {
    for await (const piece of stream) {
      sum.update(piece);
      yield piece;
    }
  }
  return { pieces: pieces(), hash: () => sum.digest('hex') };
}

function listCli(folder: string): CliFilesList {
  const names = readdirSync(folder, { withFileTypes: true, recursive: true });
  const paths = names
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
  const firstNames = new Map<string, string>();
  return paths.map((native) => {
    const path = native.split(sep).join('/');
    const status = lstatSync(join(folder, native), { bigint: true });
    if (status.isSymbolicLink()) return { path, target: readlinkSync(join(folder, native)) };
    if (!status.isFile())
      throw new CliArchiveError(`it has ${JSON.stringify(path)}, which is neither a file nor a link`);
    const file = `${status.dev} ${status.ino}`;
    const sameAs = firstNames.get(file);
    if (sameAs !== undefined) return { path, sameAs };
    firstNames.set(file, path);
    return { path, size: Number(status.size), isProgram: (status.mode & 0o111n) !== 0n };
  });
}

async function* readContent(file: string, size: number): AsyncGenerator<Buffer, void, undefined> {
  const handle = await open(file);
  try {
    for (let offset = 0; offset < size; ) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, size - offset));
      const { bytesRead } = await handle.read(piece, 0, piece.length, offset);
      if (bytesRead === 0) throw new CliArchiveError(`${file} became shorter`);
      yield piece.subarray(0, bytesRead);
      offset += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
