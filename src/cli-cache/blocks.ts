/**
 * A stream in blocks of 8 MB, each compressed and encrypted on its own: several are worked on at once, and neither
 * side needs all of the plain content in memory. The nonce is the number of the block, so blocks cannot be swapped, and
 * the key belongs to one file only. Everything before the blocks (`sealed-cli.ts`), which also says how many there are,
 * is additional data of each of them.
 */
import { webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, type ZstdOptions, zstdCompress, zstdDecompress } from 'node:zlib';
import { CliArchiveError } from './cli-files-list.js';

const blockBytes = 8 * 1024 * 1024;
/** Node's pool has four threads. */
const maxAtOnce = 4;
/** Level 1 takes a third of the time of the default, and the result is 10 % larger. */
const compressionLevel = 1;

const compress = promisify<Buffer, ZstdOptions, Buffer>(zstdCompress);
const decompress = promisify<Buffer, object, Buffer>(zstdDecompress);

export type BlockKey = Awaited<ReturnType<typeof importBlockKey>>;

/** The key for one file, from 32 random bytes. */
export function importBlockKey(bytes: Buffer) {
  return webcrypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** What encryption adds to a block. */
export const blockTagBytes = 16;

/** The blocks, compressed. */
export async function packBlocks(stream: AsyncIterable<Buffer>): Promise<readonly Buffer[]> {
  const options = {
    params: { [constants.ZSTD_c_compressionLevel]: compressionLevel },
    chunkSize: blockBytes,
  };
  const packed: Promise<Buffer>[] = [];
  for await (const plain of inBlocks(stream)) {
    if (packed.length >= maxAtOnce) await packed[packed.length - maxAtOnce];
    packed.push(handled(compress(plain, options)));
  }
  return Promise.all(packed);
}

/** `start`: everything before the blocks. */
export function sealBlocks(
  packed: readonly Buffer[],
  key: BlockKey,
  start: Buffer,
): Promise<readonly Buffer[]> {
  return Promise.all(
    packed.map(async (block, number) =>
      Buffer.from(await webcrypto.subtle.encrypt(algorithmOf(number, start), key, bytesOf(block))),
    ),
  );
}

/** @throws CliArchiveError at the first block that is not authentic. */
export async function* openBlocks(
  blocks: readonly Buffer[],
  key: BlockKey,
  start: Buffer,
): AsyncGenerator<Buffer, void, undefined> {
  const opened: Promise<Buffer>[] = [];
  for (const index of blocks.keys()) {
    for (let next = opened.length; next < Math.min(blocks.length, index + maxAtOnce); next += 1)
      opened.push(handled(openBlock(blocks[next] ?? Buffer.alloc(0), key, algorithmOf(next, start))));
    yield await (opened[index] ?? Promise.reject(new RangeError('there is no such block')));
    // So that its memory can be freed.
    delete opened[index];
  }
}

async function openBlock(
  sealed: Buffer,
  key: BlockKey,
  algorithm: ReturnType<typeof algorithmOf>,
): Promise<Buffer> {
  const packed = await webcrypto.subtle.decrypt(algorithm, key, bytesOf(sealed)).catch(() => {
    throw new CliArchiveError('it was altered');
  });
  // One piece instead of 500 that Node copies together.
  const options = { maxOutputLength: blockBytes, chunkSize: blockBytes };
  return decompress(Buffer.from(packed), options).catch(() => {
    throw new CliArchiveError('it cannot be decompressed');
  });
}

/** Somebody awaits it later. Until then, a failure must not end the process. */
function handled<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

/** No buffer of this folder is shared with another thread. */
function bytesOf(buffer: Buffer): Buffer<ArrayBuffer> {
  return buffer as Buffer<ArrayBuffer>;
}

function algorithmOf(number: number, start: Buffer) {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setUint32(8, number);
  return { name: 'AES-GCM', iv, additionalData: bytesOf(start) };
}

async function* inBlocks(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const whole of stream) {
    for (let offset = 0; offset < whole.length; ) {
      const piece = whole.subarray(offset, offset + blockBytes - length);
      pieces.push(piece);
      length += piece.length;
      offset += piece.length;
      if (length < blockBytes) continue;
      yield Buffer.concat(pieces);
      pieces = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(pieces);
}
