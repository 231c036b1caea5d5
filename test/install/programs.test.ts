/** Programs on the disk: how they start, which version they have, and which folder of the tool cache is active. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { executableAt } from '../../src/install/executable.js';
import { packageVersion, reportedVersion } from '../../src/install/path-version.js';
import {
  activateFolder,
  createFolder,
  findInstalled,
  listActiveFolders,
  platformName,
  removeStaleFolders,
  type ToolCacheEntry,
} from '../../src/install/tool-cache.js';
import { processRunner } from '../../src/system/run-process.js';

let top: string;
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'gump-programs-')));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function writeProgram(path: string, text: string): string {
  const file = join(top, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

describe('executableAt', () => {
  it.each([
    ['#!/usr/bin/env node', []],
    ['#!/usr/bin/node', []],
    ['#!/usr/bin/env -S node --no-warnings=DEP0040', ['--no-warnings=DEP0040']],
    ['#! /usr/local/bin/node --a  --b', ['--a', '--b']],
  ])('runs a script that begins with %s with the Node of this process', (line, flags) => {
    const script = writeProgram('package/cli.js', `${line}\nconsole.log(1)\n`);
    const link = join(top, 'cli');
    symlinkSync(script, link);
    expect(executableAt(link)).toEqual({ file: process.execPath, leadingArgs: [...flags, script] });
  });

  it.each(['#!/bin/sh', '#!/usr/bin/env nodemon', '#!/usr/bin/env python3', '\u007fELF node', ''])(
    'lets the system start a program that begins with %j',
    (line) => {
      const file = writeProgram('cli', `${line}\n`);
      expect(executableAt(file)).toEqual({ file, leadingArgs: [] });
    },
  );

  it('needs no Node on PATH', () => {
    const { file, leadingArgs } = executableAt(
      writeProgram('cli', '#!/usr/bin/env node\nconsole.log(process.argv[2])\n'),
    );
    expect(execFileSync(file, [...leadingArgs, 'printed'], { env: { PATH: '' }, encoding: 'utf8' })).toBe(
      'printed\n',
    );
  });
});

describe('the version of a program', () => {
  it('is that of the package that contains the program, also through links', () => {
    writeProgram('lib/node_modules/@a/b/package.json', '{"name":"@a/b","version":"1.2.3-rc.1"}');
    writeProgram('lib/node_modules/@a/b/dist/package.json', '{"type":"module"}');
    symlinkSync(writeProgram('lib/node_modules/@a/b/dist/cli.js', ''), join(top, 'cli'));
    expect(packageVersion(join(top, 'cli'), '@a/b')).toBe('1.2.3-rc.1');
    expect(packageVersion(join(top, 'cli'), '@a/c')).toBeUndefined();
  });

  it('is what the program prints', async () => {
    const versionOf = (script: string) =>
      reportedVersion(writeProgram('cli', `#!/bin/sh\n${script}\n`), {
        processes: processRunner,
        directory: top,
        env: { PATH: '/usr/bin:/bin' },
      });
    expect(await versionOf('echo 9.9.9 >&2; echo "thing v1.2.3 (of 4.5.6)"')).toBe('1.2.3');
    expect(await versionOf('echo none')).toBeUndefined();
    expect(await versionOf('echo 1.2.3; exit 1')).toBeUndefined();
  });
});

describe('the tool cache', () => {
  const entry = (): ToolCacheEntry => ({
    folder: join(top, 'cli/1.0.0'),
    platform: platformName(),
    program: 'bin/cli',
  });
  const fill = (folder: string) => writeProgram(`${folder.slice(top.length + 1)}/bin/cli`, '#!/bin/sh\n');

  it('finds no incomplete installation', async () => {
    expect(findInstalled(entry())).toBeUndefined();
    const folder = await createFolder(entry());
    fill(folder);
    expect(findInstalled(entry())).toBeUndefined();
    expect(await activateFolder(entry(), folder)).toBe(folder);
    expect(findInstalled(entry())).toBe(folder);
  });

  it('uses no folder that was not there at the start, and replaces its marker', async () => {
    const root = join(top, 'clis');
    const slot = { ...entry(), folder: join(root, 'codex/1.0.0') };
    const first = await createFolder(slot);
    fill(first);
    await activateFolder(slot, first);
    const trusted = listActiveFolders(root);
    expect([...trusted]).toEqual([first]);
    expect(findInstalled({ ...slot, trusted })).toBe(first);
    const planted = join(slot.folder, `${slot.platform}-evil`);
    fill(planted);
    writeFileSync(join(slot.folder, `${slot.platform}.complete`), `${basename(planted)}\n`);
    expect(findInstalled(slot)).toBe(planted);
    expect(findInstalled({ ...slot, trusted })).toBeUndefined();
    const own = await createFolder(slot);
    fill(own);
    expect(await activateFolder({ ...slot, trusted }, own)).toBe(own);
  });

  it('keeps the first of two installations, and returns it to the second process', async () => {
    const [first, second] = [await createFolder(entry()), await createFolder(entry())];
    fill(first);
    fill(second);
    expect(await activateFolder(entry(), first)).toBe(first);
    expect(await activateFolder(entry(), second)).toBe(first);
    expect(readdirSync(entry().folder)).toHaveLength(2);
  });

  it('replaces an installation without a program, and ignores a marker that points out of the cache', async () => {
    const first = await createFolder(entry());
    fill(first);
    await activateFolder(entry(), first);
    rmSync(join(first, 'bin'), { recursive: true });
    expect(findInstalled(entry())).toBeUndefined();
    const second = await createFolder(entry());
    fill(second);
    expect(await activateFolder(entry(), second)).toBe(second);
    const mark = join(entry().folder, `${platformName()}.complete`);
    for (const name of ['', '..', `../1.0.0/${second.split('/').at(-1)}`, `${platformName()}-no/../..`]) {
      writeFileSync(mark, name);
      expect(findInstalled(entry())).toBeUndefined();
    }
  });

  it('deletes only incomplete folders that are older than a week', async () => {
    const [active, fresh, old] = [
      await createFolder(entry()),
      await createFolder(entry()),
      await createFolder(entry()),
    ];
    fill(active);
    await activateFolder(entry(), active);
    const now = Date.now();
    for (const folder of [active, old]) utimesSync(folder, now / 1000 - 8 * 86_400, now / 1000 - 8 * 86_400);
    await removeStaleFolders(entry(), now);
    expect(
      readdirSync(entry().folder)
        .filter((name) => !name.endsWith('.complete'))
        .sort(),
    ).toEqual([active, fresh].map((folder) => folder.split('/').at(-1)).sort());
    expect(findInstalled(entry())).toBe(active);
  });
});
