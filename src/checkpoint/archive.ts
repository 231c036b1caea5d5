/**
 * The container inside a checkpoint: files with a path and bytes. It has no links, devices, owners or modes, so
 * unpacking cannot create any. This file does not use keys or secrets (`seal.ts` does) and writes no file.
 *
 *   "GUMPPACK" | version u32 | length u48 | one zstd frame of that length
 * The frame contains: count u32 | count × ( path length u16 | content length u48 | path | content )
 * Numbers are big-endian. The length is needed because Node 24 accepts a frame whose last block is missing.
 */
import { promisify } from 'node:util';
import { constants, type ZstdOptions, zstdCompress, zstdDecompress } from 'node:zlib';
import { findCollision, findPathProblem } from './archive-path.js';

export interface ArchiveEntry {
  /** Relative path, parts joined by `/`. */
  readonly path: string;
  readonly content: Buffer;
}

export interface ArchiveLimits {
  readonly entries: number;
  /** Size of the whole unpacked archive, including headers. */
  readonly bytes: number;
}

/** Four times the largest sealed state (1 GB): session logs compress about 3:1. */
export const defaultArchiveLimits: ArchiveLimits = { entries: 20_000, bytes: 4_000_000_000 };

/** The bytes are not a valid archive, or the entries cannot be packed. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

const magic = Buffer.from('GUMPPACK');
const version = 1;
const headBytes = magic.length + 10;
const countBytes = 4;
const entryHeadBytes = 8;
// Level 1 is three times as fast on session logs as the default, and the result is 10 % larger.
const compressionLevel = 1;
/**
 * For large contents: finds versions of one file that are up to 16 MB apart, as in a pack (`pack.ts`). That makes two
 * packs of this repository's history 12 % and 18 % smaller, for 20 % more processor time. A larger distance gives no more.
 */
const longDistance = { bytes: 1024 * 1024, windowLog: 24 };

function compressionParameters(bytes: number): Readonly<Record<number, number>> {
  const level = { [constants.ZSTD_c_compressionLevel]: compressionLevel };
  if (bytes < longDistance.bytes) return level;
  return {
    ...level,
    [constants.ZSTD_c_enableLongDistanceMatching]: 1,
    [constants.ZSTD_c_windowLog]: longDistance.windowLog,
  };
}

/**
 * Node hands over the output in pieces of this size; its default of 16 kB doubles the time for 100 MB (Node 24.21). Not
 * more than there is to hand over, because a small result keeps its whole piece in memory.
 */
function pieceSize(expected: number): number {
  return Math.min(4 * 1024 * 1024, Math.max(64 * 1024, expected));
}

/** Packs and compresses. The same entries give the same bytes. Throws `ArchiveError` for a path that is not allowed. */
export async function packEntries(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  checkPaths(entries.map((entry) => entry.path));
  // One call, although the data is then in memory twice: with several pieces, Node 24 may add a second, empty frame,
  // and the reader accepts nothing after the first.
  const content = Buffer.concat([...pieces(entries)]);
  const frame = await compress(content, {
    chunkSize: pieceSize(content.length),
    params: compressionParameters(content.length),
  });
  const head = Buffer.alloc(headBytes);
  magic.copy(head);
  head.writeUInt32BE(version, magic.length);
  head.writeUIntBE(frame.length, magic.length + 4, 6);
  return Buffer.concat([head, frame]);
}

const compress = promisify<Buffer, ZstdOptions, Buffer>(zstdCompress);

/**
 * The entries in their order. Their contents share the memory of one buffer. Throws `ArchiveError` for anything that
 * `packEntries` does not write or that exceeds the limits.
 */
export async function unpackEntries(
  packed: Buffer,
  limits: ArchiveLimits = defaultArchiveLimits,
): Promise<readonly ArchiveEntry[]> {
  const entries = readEntries(await decompress(frameOf(packed), limits.bytes), limits.entries);
  checkPaths(entries.map((entry) => entry.path));
  return entries;
}

function* pieces(entries: readonly ArchiveEntry[]): Generator<Buffer> {
  const count = Buffer.alloc(countBytes);
  count.writeUInt32BE(entries.length);
  yield count;
  for (const { path, content } of entries) {
    const name = Buffer.from(path);
    const entryHead = Buffer.alloc(entryHeadBytes);
    entryHead.writeUInt16BE(name.length, 0);
    entryHead.writeUIntBE(content.length, 2, 6);
    yield entryHead;
    yield name;
    yield content;
  }
}

interface Decompressed {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

const decompressWithInfo = promisify<Buffer, object, Decompressed>(zstdDecompress as never);

function frameOf(packed: Buffer): Buffer {
  if (packed.length < headBytes || !packed.subarray(0, magic.length).equals(magic)) {
    throw new ArchiveError('not an archive of this action');
  }
  if (packed.readUInt32BE(magic.length) !== version) throw new ArchiveError('unknown archive version');
  const frame = packed.subarray(headBytes);
  if (frame.length !== packed.readUIntBE(magic.length + 4, 6))
    throw new ArchiveError('the length of the archive differs from its header');
  return frame;
}

async function decompress(frame: Buffer, maxOutputLength: number): Promise<Buffer> {
  // Session logs compress to a third or less.
  const options = { chunkSize: pieceSize(8 * frame.length), maxOutputLength, info: true };
  const result = await decompressWithInfo(frame, options).catch((error: Error) => {
    const isTooLarge = 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw new ArchiveError(
      isTooLarge
        ? `the archive contains more than ${maxOutputLength} bytes`
        : 'the archive cannot be decompressed',
    );
  });
  // Node 24 stops at the end of the first frame and does not report data after it.
  if (result.engine.bytesWritten !== frame.length)
    throw new ArchiveError('the archive has data after its end');
  return result.buffer;
}

function readEntries(bytes: Buffer, maxEntries: number): readonly ArchiveEntry[] {
  if (bytes.length < countBytes) throw new ArchiveError('the archive ends before its first file');
  const count = bytes.readUInt32BE(0);
  if (count > maxEntries) throw new ArchiveError(`the archive contains more than ${maxEntries} files`);
  const entries: ArchiveEntry[] = [];
  let offset = countBytes;
  for (let index = 0; index < count; index += 1) {
    const { entry, end } = readEntry(bytes, offset);
    entries.push(entry);
    offset = end;
  }
  if (offset !== bytes.length) throw new ArchiveError('the archive has data after its last file');
  return entries;
}

function readEntry(bytes: Buffer, offset: number): { readonly entry: ArchiveEntry; readonly end: number } {
  const nameStart = offset + entryHeadBytes;
  if (nameStart > bytes.length) throw new ArchiveError('the archive ends before its last file');
  const contentStart = nameStart + bytes.readUInt16BE(offset);
  const end = contentStart + bytes.readUIntBE(offset + 2, 6);
  if (end > bytes.length) throw new ArchiveError('the archive ends before its last file');
  const path = decodePath(bytes.subarray(nameStart, contentStart));
  return { entry: { path, content: bytes.subarray(contentStart, end) }, end };
}

function decodePath(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ArchiveError('the archive contains a path that is not UTF-8');
  }
}

function checkPaths(paths: readonly string[]): void {
  for (const path of paths) {
    const problem = findPathProblem(path);
    if (problem !== undefined)
      throw new ArchiveError(`the archive contains the path ${JSON.stringify(path)}, which ${problem}`);
  }
  const collision = findCollision(paths);
  if (collision === undefined) return;
  const [first, second] = collision.map((path) => JSON.stringify(path));
  throw new ArchiveError(
    `the archive contains ${first} and ${second}, which are the same file on some disks`,
  );
}
