import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArchiveEntry, ArchiveError, packEntries, unpackEntries } from '../../src/checkpoint/archive.js';
import { holds } from '../fakes/holds.js';

const limits = { entries: 100, bytes: 1_000_000 };

function entry(path: string, content = 'x'): ArchiveEntry {
  return { path, content: Buffer.from(content) };
}

/** An archive with these bytes, valid or not. */
function wrap(raw: Buffer, tail = Buffer.alloc(0)): Buffer {
  const frame = Buffer.concat([zstdCompressSync(raw), tail]);
  const head = Buffer.alloc(10);
  head.writeUInt32BE(1, 0);
  head.writeUIntBE(frame.length, 4, 6);
  return Buffer.concat([Buffer.from('GUMPPACK'), head, frame]);
}

/** The content of the frame for these unchecked paths, as another program could write it. */
function forgeRaw(
  paths: readonly (string | Buffer)[],
  options: { count?: number; tail?: Buffer } = {},
): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(options.count ?? paths.length, 0);
  const pieces = paths.flatMap((path) => {
    const name = Buffer.from(path as string);
    const entryHead = Buffer.alloc(8);
    entryHead.writeUInt16BE(name.length, 0);
    entryHead.writeUIntBE(1, 2, 6);
    return [entryHead, name, Buffer.from('x')];
  });
  return Buffer.concat([count, ...pieces, options.tail ?? Buffer.alloc(0)]);
}

function forge(paths: readonly (string | Buffer)[], options: { count?: number; tail?: Buffer } = {}): Buffer {
  return wrap(forgeRaw(paths, options));
}

const badPaths: readonly (readonly [string, string])[] = [
  ['empty', ''],
  ['absolute', '/etc/passwd'],
  ['parent', '../x'],
  ['parent inside', 'a/../../x'],
  ['parent at the end', 'a/..'],
  ['here', './a'],
  ['here inside', 'a/./b'],
  ['empty part', 'a//b'],
  ['slash at the end', 'a/'],
  ['backslash', 'a\\b'],
  ['NUL', 'a\0b'],
  ['line feed', 'a\nb'],
  ['delete', 'a\u007fb'],
  ['C1 control', 'a\u0085b'],
  ['long part', 'a'.repeat(256)],
  ['long path', Array.from({ length: 6 }, () => 'b'.repeat(200)).join('/')],
];

describe('a round trip', () => {
  const segment = fc.stringMatching(/^[a-z0-9_.äß-]{1,20}$/).filter((text) => text !== '.' && text !== '..');
  const entries = fc
    .dictionary(
      fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
      fc.uint8Array(),
    )
    .map((files) => Object.entries(files).map(([path, bytes]) => ({ path, content: Buffer.from(bytes) })));

  it.each([
    ['compresses a lot', Buffer.alloc(12_000_000, 'the same text ')],
    ['does not compress', randomBytes(12_000_000)],
  ])('returns content that arrives in several pieces and %s', async (_how, content) => {
    const read = await unpackEntries(await packEntries([{ path: 'large', content }]));
    expect(read.map(({ path }) => path)).toEqual(['large']);
    expect(read[0]?.content.equals(content)).toBe(true);
  });

  it('returns the same files in the same order, or packing is refused', async () => {
    let [tried, packed] = [0, 0];
    await holds(
      fc.asyncProperty(entries, async (files) => {
        tried += 1;
        const archive = await packEntries(files).catch((error: unknown) => {
          expect(error).toBeInstanceOf(ArchiveError);
          return undefined;
        });
        if (archive === undefined) return;
        packed += 1;
        expect(await unpackEntries(archive, limits)).toEqual(files);
      }),
    );
    expect(packed / tried).toBeGreaterThan(0.5);
  });

  it('works for no file, an empty file and a file of several megabytes', async () => {
    const big = randomBytes(5_000_000);
    const files = await unpackEntries(await packEntries([entry('empty', ''), { path: 'big', content: big }]));
    expect(files.map(({ path }) => path)).toEqual(['empty', 'big']);
    expect(files.map(({ content }) => content.length)).toEqual([0, big.length]);
    expect(files[1]?.content.equals(big)).toBe(true);
    expect(await unpackEntries(await packEntries([]))).toEqual([]);
  });

  it('packs the same entries to the same bytes', async () => {
    const files = [entry('a', 'one'), entry('b/c', 'two')];
    expect(await packEntries(files)).toEqual(await packEntries(files));
  });
});

describe('a path that leads out of the directory', () => {
  it.each(badPaths)('is refused when unpacked: %s', async (_, path) => {
    await expect(unpackEntries(forge([path]), limits)).rejects.toThrow(ArchiveError);
  });

  it.each(badPaths)('is refused when packed: %s', async (_, path) => {
    await expect(packEntries([entry(path)])).rejects.toThrow(ArchiveError);
  });

  it('is refused if it is not UTF-8', async () => {
    await expect(unpackEntries(forge([Buffer.from([0x61, 0xff])]), limits)).rejects.toThrow('not UTF-8');
    await expect(packEntries([entry('a\ud800')])).rejects.toThrow('not valid Unicode');
  });

  it('is never unpacked, for any name', async () => {
    await holds(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 12 }), async (path) => {
        const files = await unpackEntries(forge([path]), limits).catch(() => []);
        for (const file of files) {
          expect(file.path).toBe(path);
          expect(path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')).toBe(true);
          expect(path).not.toMatch(/[\\\p{Cc}\p{Cs}]/u);
        }
      }),
    );
  });
});

describe('two names for one file', () => {
  const pairs: readonly (readonly [string, string])[] = [
    ['a', 'a'],
    ['Read/me', 'read/ME'],
    ['\u00e4', 'a\u0308'],
    ['straße', 'STRASSE'],
    ['a', 'a/b'],
    ['a/b/c', 'a/B'],
  ];
  it.each(pairs)('are refused: %s and %s', async (first, second) => {
    await expect(unpackEntries(forge([first, second]), limits)).rejects.toThrow(
      'the same file on some disks',
    );
    await expect(packEntries([entry(second), entry(first)])).rejects.toThrow('the same file on some disks');
  });

  it('are not reported if the names differ', async () => {
    const files = [entry('a/b'), entry('a/c'), entry('ab'), entry('a.b')];
    expect(await unpackEntries(await packEntries(files), limits)).toHaveLength(4);
  });
});

describe('limits and lengths', () => {
  it('refuses more files than allowed', async () => {
    await expect(unpackEntries(forge(['a', 'b']), { ...limits, entries: 1 })).rejects.toThrow(
      'more than 1 files',
    );
  });

  it('refuses a count that differs from the number of files', async () => {
    await expect(unpackEntries(forge(['a'], { count: 2 }), limits)).rejects.toThrow('ends before');
    await expect(unpackEntries(forge(['a', 'b'], { count: 1 }), limits)).rejects.toThrow('data after');
  });

  it('refuses a small archive that grows beyond the limit', async () => {
    const bomb = await packEntries([{ path: 'zeros', content: Buffer.alloc(2_000_000) }]);
    expect(bomb.length).toBeLessThan(1000);
    await expect(unpackEntries(bomb, limits)).rejects.toThrow('more than 1000000 bytes');
  });

  it('refuses bytes after the end, inside and outside the compressed frame', async () => {
    await expect(unpackEntries(forge(['a'], { tail: Buffer.from('x') }), limits)).rejects.toThrow(
      'data after',
    );
    const raw = forgeRaw(['a']);
    await expect(unpackEntries(wrap(raw, Buffer.from('x')), limits)).rejects.toThrow('data after');
    await expect(unpackEntries(wrap(raw, zstdCompressSync(raw)), limits)).rejects.toThrow('data after');
    const archive = await packEntries([entry('a')]);
    await expect(unpackEntries(Buffer.concat([archive, Buffer.from('x')]), limits)).rejects.toThrow(
      'length of the archive differs',
    );
  });

  it('refuses every truncated archive', async () => {
    const archive = await packEntries([entry('a', 'content of a'), entry('b')]);
    for (let length = 0; length < archive.length; length += 1) {
      await expect(unpackEntries(archive.subarray(0, length), limits)).rejects.toThrow(ArchiveError);
    }
    const raw = forgeRaw(['a', 'b/c']);
    for (let length = 0; length < raw.length; length += 1) {
      await expect(unpackEntries(wrap(raw.subarray(0, length)), limits)).rejects.toThrow(ArchiveError);
    }
  });

  it('refuses other content and unknown versions', async () => {
    await expect(unpackEntries(Buffer.from('tar'), limits)).rejects.toThrow('not an archive');
    await expect(unpackEntries(zstdCompressSync(Buffer.alloc(64)), limits)).rejects.toThrow('not an archive');
    const archive = await packEntries([entry('a')]);
    archive.writeUInt32BE(2, 8);
    await expect(unpackEntries(archive, limits)).rejects.toThrow('unknown archive version');
    const noFrame = await packEntries([entry('a')]);
    noFrame.fill(0, 18);
    await expect(unpackEntries(noFrame, limits)).rejects.toThrow('cannot be decompressed');
  });

  it('fails only with ArchiveError', async () => {
    const raw = forgeRaw(['a/b', 'c']);
    await holds(
      fc.asyncProperty(fc.nat(raw.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = Buffer.from(raw);
        changed[at] = (changed[at] ?? 0) ^ mask;
        await unpackEntries(wrap(changed), limits).catch((error: unknown) =>
          expect(error).toBeInstanceOf(ArchiveError),
        );
      }),
    );
  });
});

it('stores versions of one file that are megabytes apart only once', async () => {
  const version = randomBytes(2_000_000);
  const between = { path: 'b', content: randomBytes(3_000_000) };
  const packed = await packEntries([
    { path: 'a', content: version },
    between,
    { path: 'c', content: version },
  ]);
  expect(packed.length).toBeLessThan(5_100_000);
  const files = await unpackEntries(packed);
  expect(files.map(({ path }) => path)).toEqual(['a', 'b', 'c']);
  expect(files[2]?.content.equals(version)).toBe(true);
});
