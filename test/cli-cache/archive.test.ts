/** An installation as a sealed file: what the reader makes of it, and what it refuses. */
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SealSecret } from '../../src/checkpoint/seal-secrets.js';
import { decodeList, encodeList } from '../../src/cli-cache/cli-files-list.js';
import { hashCli, readCli } from '../../src/cli-cache/read-cli.js';
import { openCli, sealCli } from '../../src/cli-cache/sealed-cli.js';
import { writeCli } from '../../src/cli-cache/write-cli.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';

const secret = (value: string, name = 'OPENAI_API_KEY'): SealSecret => ({ kind: 'credential', name, value });
const own = secret('sk-proj-no-real-key-0123456789abcdef');
const other = secret('sk-proj-other-key-0123456789abcdef');
const identity = { name: 'gump-cli-v1-codex-1-', repositoryId: '4242' };

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gump-cli-'));
  cleanUpAfterTest(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** More than two blocks. */
const bigContent = Buffer.alloc(20_000_000, 'some text that is repeated');

/** An installation with what occurs in real ones. */
function makeInstallation(): string {
  const folder = newFolder();
  const write = (path: string, content: string | Buffer) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  write('package.json', '{}');
  write('node_modules/@x/cli/empty.txt', '');
  write('node_modules/@x/cli/bin/cli', '#!/bin/sh\n');
  write('node_modules/@x/cli/big', bigContent);
  chmodSync(join(folder, 'node_modules/@x/cli/bin/cli'), 0o555);
  mkdirSync(join(folder, 'node_modules/.bin'));
  mkdirSync(join(folder, 'node_modules/@x/native'));
  linkSync(join(folder, 'node_modules/@x/cli/big'), join(folder, 'node_modules/@x/native/big'));
  symlinkSync('../@x/cli/bin/cli', join(folder, 'node_modules/.bin/cli'));
  symlinkSync('../@x/native/big', join(folder, 'node_modules/.bin/native'));
  return folder;
}

async function sealInstallation(secrets: readonly SealSecret[] = [own]): Promise<Buffer> {
  return sealCli(readCli(makeInstallation()), identity, secrets);
}

/** Why the file is not used; `undefined` if it is. */
async function refusalOf(
  sealed: Buffer,
  { as = identity, secrets = [own] }: { as?: typeof identity; secrets?: readonly SealSecret[] } = {},
): Promise<string | undefined> {
  const opened = await openCli(sealed, as, secrets);
  if (opened.status === 'refused') return opened.reason;
  return writeCli(newFolder(), opened.stream).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

describe('a sealed installation', () => {
  it('has the same files, programs and links when it is opened', async () => {
    const folder = makeInstallation();
    const sealed = await sealCli(readCli(folder), identity, [other, own]);
    const opened = await openCli(sealed, identity, [own]);
    if (opened.status !== 'opened') throw new Error(opened.reason);
    const restored = newFolder();
    await writeCli(restored, opened.stream);
    const names = (where: string) => readdirSync(where, { recursive: true }).sort();
    expect(names(restored)).toEqual(names(folder));
    expect(readFileSync(join(restored, 'node_modules/.bin/native')).equals(bigContent)).toBe(true);
    expect(readlinkSync(join(restored, 'node_modules/.bin/cli'))).toBe('../@x/cli/bin/cli');
    const statusOf = (path: string) => lstatSync(join(restored, 'node_modules/@x', path));
    expect(statusOf('cli/bin/cli').mode & 0o777).toBe(0o755);
    expect(statusOf('cli/empty.txt').mode & 0o111).toBe(0);
    expect(statusOf('native/big').ino).toBe(statusOf('cli/big').ino);
    expect(await hashCli(restored)).toBe(await hashCli(folder));
  });

  it('is refused with another key, name, repository or format, and if it is no sealed CLI', async () => {
    const sealed = await sealInstallation();
    expect(await refusalOf(sealed)).toBeUndefined();
    expect(await refusalOf(sealed, { secrets: [other] })).toBe('no secret of this job opens it');
    expect(await refusalOf(sealed, { secrets: [secret(own.value, 'CODEX_API_KEY')] })).toBe(
      'no secret of this job opens it',
    );
    const foreign = 'it belongs to another entry';
    expect(await refusalOf(sealed, { as: { ...identity, name: 'gump-cli-v1-codex-2-' } })).toBe(foreign);
    expect(await refusalOf(sealed, { as: { ...identity, repositoryId: '4243' } })).toBe(foreign);
    const later = Buffer.from(sealed);
    later.writeUInt32BE(2, 8);
    expect(await refusalOf(later)).toBe('it has another format');
    for (const bytes of [Buffer.alloc(0), Buffer.from('GUMPCLIS'), Buffer.from('GUMPSEALxxxxxxxxxxxx')])
      expect(await refusalOf(bytes)).toBe('it is no CLI that this action stored');
  });

  it('is refused whatever byte is changed, and wherever it is cut', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'cli.js'), 'start();\n');
    const sealed = await sealCli(readCli(folder), identity, [own]);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect([at, await refusalOf(changed)]).toEqual([at, expect.any(String)]);
      expect([at, await refusalOf(sealed.subarray(0, at))]).toEqual([at, expect.any(String)]);
    }
    expect(await refusalOf(Buffer.concat([sealed, Buffer.alloc(1)]))).toBe('it was altered');
  });

  it('is refused if blocks are swapped, or come from another file that the same key sealed', async () => {
    const [one, two] = [await sealInstallation(), await sealInstallation()];
    const start = one.length - lengthsOf(one).reduce((sum, length) => sum + length, 0);
    const [first = 0, second = 0] = lengthsOf(one);
    const blocks = (from: number, length: number) => one.subarray(start + from, start + from + length);
    const swapped = Buffer.concat([
      one.subarray(0, start),
      blocks(first, second),
      blocks(0, first),
      one.subarray(start + first + second),
    ]);
    expect(await refusalOf(swapped)).toBe('it was altered');
    expect(lengthsOf(two)).toEqual(lengthsOf(one));
    const mixed = Buffer.concat([one.subarray(0, start), two.subarray(two.length - (one.length - start))]);
    expect(await refusalOf(mixed)).toBe('it was altered');
  });

  it('has another hash if a file, a mode or a link is changed', async () => {
    const changes: readonly ((folder: string) => void)[] = [
      () => undefined,
      (folder) => writeFileSync(join(folder, 'package.json'), '[]'),
      (folder) => writeFileSync(join(folder, 'new'), ''),
      (folder) => chmodSync(join(folder, 'node_modules/@x/cli/bin/cli'), 0o444),
      (folder) => {
        rmSync(join(folder, 'node_modules/.bin/cli'));
        symlinkSync('../@x/cli/big', join(folder, 'node_modules/.bin/cli'));
      },
    ];
    const hashes = await Promise.all(
      changes.map((change) => {
        const folder = makeInstallation();
        change(folder);
        return hashCli(folder);
      }),
    );
    expect(new Set(hashes).size).toBe(changes.length);
    expect(hashes[0]).toBe(await hashCli(makeInstallation()));
  });
});

describe('a list of files', () => {
  const file = (path: string) => ({ path, size: 1, isProgram: false });

  it.each([
    ['an absolute path', [file('/etc/passwd')], /is absolute/],
    ['a path that leads out', [file('a/../../b')], /leads out/],
    ['a path with an empty part', [file('a//b')], /has an empty part/],
    ['a file twice', [file('a'), file('a')], /exclude each other/],
    ['two files that are one on some disks', [file('a'), file('A')], /exclude each other/],
    ['a file below a link', [file('b'), { path: 'a', target: 'b' }, file('a/c')], /exclude each other/],
    ['a link to an absolute path', [file('a'), { path: 'b', target: '/a' }], /leads to no file/],
    ['a link that leads out', [file('a'), { path: 'd/b', target: '../../a' }], /leads to no file/],
    ['a link to a folder', [file('d/a'), { path: 'b', target: 'd' }], /leads to no file/],
    [
      'a link to a link',
      [file('a'), { path: 'b', target: 'a' }, { path: 'c', target: 'b' }],
      /leads to no file/,
    ],
    [
      'a second name of a link',
      [file('a'), { path: 'b', target: 'a' }, { path: 'c', sameAs: 'b' }],
      /no file/,
    ],
    ['a second name of nothing', [{ path: 'c', sameAs: 'b' }], /leads to no file/],
    ['too much content', [{ ...file('a'), size: 1_600_000_000 }], /more than 1500 MB/],
    ['a size that is no number', [{ ...file('a'), size: -1 }], /not valid/],
    ['a field that nobody writes', [{ ...file('a'), owner: 0 }], /not valid/],
    ['no list', { a: 1 }, /not valid/],
  ])('with %s is refused', (_, list, reason) => {
    expect(() => decodeList(Buffer.from(JSON.stringify(list)))).toThrow(reason);
  });

  it('with too many files is refused', () => {
    const list = Array.from({ length: 50_001 }, (_, index) => file(`f${index}`));
    expect(() => encodeList(list)).toThrow(/more than 50000 files/);
  });
});

describe('a stream of files', () => {
  const list = encodeList([{ path: 'a', size: 4, isProgram: false }]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(list.length);
  const write = async (...pieces: readonly Buffer[]) => {
    async function* stream() {
      yield* pieces;
    }
    const folder = newFolder();
    await writeCli(folder, stream());
    return readFileSync(join(folder, 'a'), 'utf8');
  };

  it('may come in any pieces', async () => {
    const whole = Buffer.concat([head, list, Buffer.from('text')]);
    expect(await write(whole)).toBe('text');
    expect(await write(...[...whole].map((byte) => Buffer.from([byte])))).toBe('text');
  });

  it('is refused if it is too short or too long', async () => {
    await expect(write(head, list, Buffer.from('tex'))).rejects.toThrow('it ends before its last file');
    await expect(write(head, list, Buffer.from('texts'))).rejects.toThrow('it has data after its last file');
    const huge = Buffer.alloc(4, 255);
    await expect(write(huge, list)).rejects.toThrow('its list of files is too long');
  });
});

/** The lengths of the blocks, as the head names them. */
function lengthsOf(sealed: Buffer): readonly number[] {
  const length = sealed.readUInt32BE(12);
  return (JSON.parse(sealed.toString('utf8', 16, 16 + length)) as { blocks: number[] }).blocks;
}
