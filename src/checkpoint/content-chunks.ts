/**
 * Cuts a file into chunks at places that its content determines, so that a file that was rewritten has most chunks of
 * its former version, wherever they moved. Pure.
 *
 * Measured with 40 exports of a session that grows to 10 MB, 200 MB together, compressed with zstd level 1:
 * 4.6 MB of new chunks; 84.6 MB without the common start and end of two exports, because each has another date at its
 * start; 84.3 MB with zstd and the former export as its dictionary. The last export alone has 4.1 MB.
 */
import { createHash } from 'node:crypto';

/** A part of a file that ends before `end` and starts where the chunk before it ends. */
export interface Chunk {
  readonly end: number;
  /** 128 bits of its SHA-256. A file is also checked as a whole, so a collision cannot go unnoticed. */
  readonly id: string;
}

const minBytes = 1024;
const maxBytes = 16 * 1024;
// A boundary about every 4 KB after the minimum. High bits, because they depend on the last 32 bytes.
const boundaryShift = 20;

/** A fixed table of random numbers: the same content has the same chunks on every machine. */
const gear = makeGear();

/** The chunks of `content` from `start`, which must be 0 or the end of a chunk. */
export function chunksFrom(content: Buffer, start: number): readonly Chunk[] {
  const chunks: Chunk[] = [];
  for (let from = start; from < content.length; ) {
    const end = findBoundary(content, from);
    chunks.push({ end, id: chunkId(content.subarray(from, end)) });
    from = end;
  }
  return chunks;
}

/**
 * The chunks of a file of which `chunks` are those of its start. The last of these ended with the former content, not
 * at a boundary.
 */
export function continueChunks(chunks: readonly Chunk[], content: Buffer): readonly Chunk[] {
  const complete = chunks.slice(0, -1);
  return [...complete, ...chunksFrom(content, complete.at(-1)?.end ?? 0)];
}

function findBoundary(content: Buffer, start: number): number {
  const last = Math.min(content.length, start + maxBytes);
  let hash = 0;
  for (let index = start + minBytes; index < last; index += 1) {
    hash = ((hash << 1) + (gear[content[index] ?? 0] ?? 0)) | 0;
    if (hash >>> boundaryShift === 0) return index + 1;
  }
  return last;
}

function chunkId(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64').slice(0, 22);
}

function makeGear(): Int32Array {
  const table = new Int32Array(256);
  for (let index = 0; index < table.length; index += 1) {
    table[index] = createHash('sha256').update(`gear ${index}`).digest().readInt32BE(0);
  }
  return table;
}
