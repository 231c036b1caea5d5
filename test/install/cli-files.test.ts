/** Whether a CLI was changed since the start of the run. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { isCliUnchanged, noteCli } from '../../src/install/cli-files.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';

let top: string;

function write(path: string, text: string): string {
  const file = join(top, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'gump-cli-files-')));
  cleanUpAfterTest(() => rmSync(top, { recursive: true, force: true }));
});

describe('a CLI on PATH', () => {
  it('is changed by a new package folder above it, not by another package next to it', () => {
    write('lib/node_modules/@a/cli/package.json', '{"name":"@a/cli"}');
    const script = write('lib/node_modules/@a/cli/cli.js', '#!/usr/bin/env node');
    chmodSync(script, 0o755);
    mkdirSync(join(top, 'bin'));
    symlinkSync(script, join(top, 'bin/cli'));
    const noted = noteCli(join(top, 'bin/cli'), '@a/cli');
    expect(isCliUnchanged(noted)).toBe(true);
    write('lib/node_modules/typescript/index.js', '');
    write('work/node_modules/x/index.js', '');
    expect(isCliUnchanged(noted)).toBe(true);
    write('node_modules/bufferutil/index.js', 'evil');
    expect(isCliUnchanged(noted)).toBe(false);
  });
});

describe('a CLI that the action installed', () => {
  it('is changed by a new package in its folder or above it', () => {
    const slot = 'tools/gump-clis/cli/1.0.0/x';
    const program = write(`${slot}/node_modules/.bin/cli`, '');
    const note = () => noteCli(program, undefined, join(top, slot));
    for (const folder of [slot, 'tools/gump-clis', 'tools']) {
      const noted = note();
      expect(isCliUnchanged(noted)).toBe(true);
      write(`${folder}/node_modules/bufferutil/index.js`, 'evil');
      expect(isCliUnchanged(noted), folder).toBe(false);
    }
  });
});
