/** Reads and creates the file that the cache client makes of a checkpoint: a gzipped tar with one file. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { cachedName } from '../../src/checkpoint/cache-client.js';

const block = 512;

/** The sealed file in a stored body. */
export function readSealedFile(body: Buffer): Buffer {
  const tar = gunzipSync(body);
  for (let at = 0; at + block <= tar.length; ) {
    const header = tar.subarray(at, at + block);
    const size = Number.parseInt(textAt(header, 124, 12), 8);
    // With `--posix`, a header with timestamps comes before the file.
    if (textAt(header, 0, 100) === cachedName) return tar.subarray(at + block, at + block + size);
    at += block + Math.ceil(size / block) * block;
  }
  throw new Error('The body contains no checkpoint.');
}

/** A body that the client unpacks to this file. */
export function makeCacheBody(sealed: Buffer): Buffer {
  const header = Buffer.alloc(block);
  header.write(cachedName, 0);
  header.write('0000600\0'.padEnd(8), 100);
  header.write(octal(sealed.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  const padding = Buffer.alloc((block - (sealed.length % block)) % block);
  return gzipSync(Buffer.concat([header, sealed, padding, Buffer.alloc(2 * block)]));
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

function textAt(bytes: Buffer, at: number, length: number): string {
  return (
    bytes
      .toString('latin1', at, at + length)
      .split('\0')[0]
      ?.trim() ?? ''
  );
}
