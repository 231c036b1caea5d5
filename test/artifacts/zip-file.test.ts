/** The reader against zip files of the client of GitHub and of Python, and against files that somebody made to do harm. */
import { execFileSync } from 'node:child_process';
import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readOnlyFile } from '../../src/artifacts/zip-file.js';

const content = Buffer.from('sealed '.repeat(1000));
const limit = 1_000_000;

interface ZipChange {
  readonly method?: number;
  readonly bytes?: number;
  readonly checksum?: number;
  readonly count?: number;
  readonly start?: number;
}

/** A zip file with one entry whose fields may be wrong. */
function zipOf(data: Buffer, packed: Buffer, change: ZipChange = {}): Buffer {
  const { method = 0, bytes = data.length, checksum = crc32(data), count = 1, start = 0 } = change;
  const name = Buffer.from('../../evil');
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(name.length, 26);
  const directory = Buffer.alloc(46);
  directory.writeUInt32LE(0x02014b50, 0);
  directory.writeUInt16LE(method, 10);
  directory.writeUInt32LE(checksum, 16);
  directory.writeUInt32LE(packed.length, 20);
  directory.writeUInt32LE(bytes, 24);
  directory.writeUInt16LE(name.length, 28);
  directory.writeUInt32LE(start, 42);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(directory.length + name.length, 12);
  end.writeUInt32LE(header.length + name.length + packed.length, 16);
  return Buffer.concat([header, name, packed, directory, name, end]);
}

describe('the only file of a zip file', () => {
  it.each(['ZIP_STORED', 'ZIP_DEFLATED'])('is read if another program packed it with %s', (method) => {
    const script = [
      'import sys, io, zipfile',
      'out = io.BytesIO()',
      `with zipfile.ZipFile(out, 'w', zipfile.${method}) as z: z.writestr('a', sys.stdin.buffer.read())`,
      'sys.stdout.buffer.write(out.getvalue())',
    ].join('\n');
    const zip = execFileSync('python3', ['-c', script], { input: content });
    expect(readOnlyFile(zip, limit)?.equals(content)).toBe(true);
  });

  it('is read whatever its name is', () => {
    expect(readOnlyFile(zipOf(content, content), limit)?.equals(content)).toBe(true);
    expect(readOnlyFile(zipOf(content, deflateRawSync(content), { method: 8 }), limit)?.equals(content)).toBe(
      true,
    );
  });

  it.each<readonly [string, Buffer]>([
    ['has more than the limit', zipOf(content, content, { bytes: limit + 1 })],
    ['claims less than it unpacks to', zipOf(content, deflateRawSync(content), { method: 8, bytes: 10 })],
    ['claims more', zipOf(content, deflateRawSync(content), { method: 8, bytes: content.length + 1 })],
    ['has another checksum', zipOf(content, content, { checksum: 1 })],
    ['is one of two', zipOf(content, content, { count: 2 })],
    ['is outside of the file', zipOf(content, content, { start: 900_000 })],
    ['is packed in an unknown way', zipOf(content, content, { method: 12 })],
    ['is not deflated', zipOf(content, content, { method: 8 })],
    ['has wide values that are missing', zipOf(content, content, { bytes: 0xffffffff, start: 0xffffffff })],
    ['is cut', zipOf(content, content).subarray(0, 5000)],
    ['is in no zip file', Buffer.from('no zip file, but long enough for one')],
    ['is in an empty file', Buffer.alloc(0)],
  ])('is refused if it %s', (_, zip) => {
    expect(readOnlyFile(zip, limit)).toBeUndefined();
  });
});
