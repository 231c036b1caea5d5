/** Programs on the disk: how they are started, which version they are, and which folder of a slot counts. */
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
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { executableAt } from '../../src/install/executable.js';
import { packageVersion, reportedVersion } from '../../src/install/path-version.js';
import {
  activateFolder,
  createFolder,
  findInstalled,
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
    'leaves a program that begins with %j to the system',
    (line) => {
      const file = writeProgram('cli', `${line}\n`);
      expect(executableAt(file)).toEqual({ file, leadingArgs: [] });
    },
  );

  it('needs no Node on PATH for it', () => {
    const { file, leadingArgs } = executableAt(
      writeProgram('cli', '#!/usr/bin/env node\nconsole.log(process.argv[2])\n'),
    );
    expect(execFileSync(file, [...leadingArgs, 'said'], { env: { PATH: '' }, encoding: 'utf8' })).toBe(
      'said\n',
    );
  });
});

describe('the version of a program', () => {
  it('is that of the package it lies in, through links', () => {
    writeProgram('lib/node_modules/@a/b/package.json', '{"name":"@a/b","version":"1.2.3-rc.1"}');
    writeProgram('lib/node_modules/@a/b/dist/package.json', '{"type":"module"}');
    symlinkSync(writeProgram('lib/node_modules/@a/b/dist/cli.js', ''), join(top, 'cli'));
    expect(packageVersion(join(top, 'cli'), '@a/b')).toBe('1.2.3-rc.1');
    expect(packageVersion(join(top, 'cli'), '@a/c')).toBeUndefined();
  });

  it('is what it says itself', async () => {
    const say = (script: string) =>
      reportedVersion(writeProgram('cli', `#!/bin/sh\n${script}\n`), {
        processes: processRunner,
        directory: top,
        env: { PATH: '/usr/bin:/bin' },
      });
    expect(await say('echo 9.9.9 >&2; echo "thing v1.2.3 (of 4.5.6)"')).toBe('1.2.3');
    expect(await say('echo none')).toBeUndefined();
    expect(await say('echo 1.2.3; exit 1')).toBeUndefined();
  });
});

describe('the tool cache', () => {
  const slot = (): ToolCacheEntry => ({
    folder: join(top, 'cli/1.0.0'),
    platform: platformName(),
    program: 'bin/cli',
  });
  const fill = (folder: string) => writeProgram(`${folder.slice(top.length + 1)}/bin/cli`, '#!/bin/sh\n');

  it('has nothing that was not completed', async () => {
    expect(findInstalled(slot())).toBeUndefined();
    const folder = await createFolder(slot());
    fill(folder);
    expect(findInstalled(slot())).toBeUndefined();
    expect(await activateFolder(slot(), folder)).toBe(folder);
    expect(findInstalled(slot())).toBe(folder);
  });

  it('keeps the first of two, and gives it to the second', async () => {
    const [first, second] = [await createFolder(slot()), await createFolder(slot())];
    fill(first);
    fill(second);
    expect(await activateFolder(slot(), first)).toBe(first);
    expect(await activateFolder(slot(), second)).toBe(first);
    expect(readdirSync(slot().folder)).toHaveLength(2);
  });

  it('takes the place of one whose program is gone, and of a mark that leads out of it', async () => {
    const first = await createFolder(slot());
    fill(first);
    await activateFolder(slot(), first);
    rmSync(join(first, 'bin'), { recursive: true });
    expect(findInstalled(slot())).toBeUndefined();
    const second = await createFolder(slot());
    fill(second);
    expect(await activateFolder(slot(), second)).toBe(second);
    const mark = join(slot().folder, `${platformName()}.complete`);
    for (const name of ['', '..', `../1.0.0/${second.split('/').at(-1)}`, `${platformName()}-no/../..`]) {
      writeFileSync(mark, name);
      expect(findInstalled(slot())).toBeUndefined();
    }
  });

  it('is cleared of what was left half done a week ago, and of nothing else', async () => {
    const [counts, fresh, old] = [
      await createFolder(slot()),
      await createFolder(slot()),
      await createFolder(slot()),
    ];
    fill(counts);
    await activateFolder(slot(), counts);
    const now = Date.now();
    for (const folder of [counts, old]) utimesSync(folder, now / 1000 - 8 * 86_400, now / 1000 - 8 * 86_400);
    await removeStaleFolders(slot(), now);
    expect(
      readdirSync(slot().folder)
        .filter((name) => !name.endsWith('.complete'))
        .sort(),
    ).toEqual([counts, fresh].map((folder) => folder.split('/').at(-1)).sort());
    expect(findInstalled(slot())).toBe(counts);
  });
});
