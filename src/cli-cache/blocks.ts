/**
 * A stream in blocks of 8 MB, each compressed and encrypted on its own: several are worked on at once, and neither
 * side needs all of the plain content in memory. The nonce is the number of the block, so blocks cannot be swapped, and
 * the key belongs to one file only. How many there are is in the head of the file (`sealed-cli.ts`).
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

export async function sealBlocks(stream: AsyncIterable<Buffer>, key: BlockKey): Promise<readonly Buffer[]> {
  const sealed: Promise<Buffer>[] = [];
  for await (const plain of inBlocks(stream)) {
    const number = sealed.length;
    if (number >= maxAtOnce) await sealed[number - maxAtOnce];
    const block = sealBlock(plain, number, key);
    // Awaited below. Until then it must not count as unhandled.
    block.catch(() => undefined);
    sealed.push(block);
  }
  return Promise.all(sealed);
}

/** @throws CliArchiveError at the first block that is not authentic. */
export async function* openBlocks(
  blocks: readonly Buffer[],
  key: BlockKey,
): AsyncGenerator<Buffer, void, undefined> {
  const opened: Promise<Buffer>[] = [];
  for (const index of blocks.keys()) {
    for (let next = opened.length; next < Math.min(blocks.length, index + maxAtOnce); next += 1) {
      const block = openBlock(blocks[next] ?? Buffer.alloc(0), next, key);
      block.catch(() => undefined);
      opened.push(block);
    }
    yield await (opened[index] ?? Promise.reject(new RangeError('there is no such block')));
    // So that its memory can be freed.
    delete opened[index];
  }
}

async function sealBlock(plain: Buffer, number: number, key: BlockKey): Promise<Buffer> {
  const packed = await compress(plain, { params: { [constants.ZSTD_c_compressionLevel]: compressionLevel } });
  return Buffer.from(await webcrypto.subtle.encrypt(algorithmOf(number), key, Uint8Array.from(packed)));
}

async function openBlock(sealed: Buffer, number: number, key: BlockKey): Promise<Buffer> {
  const bytes = sealed as Buffer<ArrayBuffer>;
  const packed = await webcrypto.subtle.decrypt(algorithmOf(number), key, bytes).catch(() => {
    throw new CliArchiveError('it was altered');
  });
  return decompress(Buffer.from(packed), { maxOutputLength: blockBytes }).catch(() => {
    throw new CliArchiveError('it cannot be decompressed');
  });
}

function algorithmOf(number: number) {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setUint32(8, number);
  return { name: 'AES-GCM', iv };
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
