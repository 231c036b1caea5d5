import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardFileCommands } from '../../src/security/file-commands.js';

let root: string;
/** The folder of the runner's command files. */
let folder: string;
let environment: Record<string, string>;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gump-test-'));
  folder = join(root, '_runner_file_commands');
  mkdirSync(folder);
  environment = {};
  for (const name of ['ENV', 'PATH', 'OUTPUT', 'STATE', 'STEP_SUMMARY']) {
    const path = join(folder, `${name.toLowerCase()}_1234`);
    writeFileSync(path, `ours=${name}\n`);
    environment[`GITHUB_${name}`] = path;
  }
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function pathOf(name: string): string {
  return environment[name] ?? '';
}

async function changesOf(act: () => void): Promise<readonly string[]> {
  const check = await guardFileCommands(environment);
  act();
  return check();
}

describe('guardFileCommands', () => {
  it('finds no change if nothing changed', async () => {
    expect(await changesOf(() => undefined)).toEqual([]);
    expect(readFileSync(pathOf('GITHUB_ENV'), 'utf8')).toBe('ours=ENV\n');
  });

  it.each(['ENV', 'PATH', 'OUTPUT', 'STATE', 'STEP_SUMMARY'])(
    'detects a line written to GITHUB_%s, and removes it',
    async (name) => {
      const path = pathOf(`GITHUB_${name}`);
      const changes = await changesOf(() => appendFileSync(path, 'NODE_OPTIONS=--require=evil\n'));
      expect(changes).toEqual([path]);
      expect(readFileSync(path, 'utf8')).toBe(`ours=${name}\n`);
    },
  );

  it('detects a change that keeps the size', async () => {
    const path = pathOf('GITHUB_ENV');
    expect(await changesOf(() => writeFileSync(path, 'ours=EVE\n'))).toEqual([path]);
  });

  it('detects files that were created, removed or replaced', async () => {
    const created = join(folder, 'set_env_5678');
    const createdFolder = join(folder, 'sub', 'folder');
    const removed = pathOf('GITHUB_PATH');
    const swapped = pathOf('GITHUB_STATE');
    const elsewhere = join(root, 'elsewhere');
    writeFileSync(elsewhere, 'theirs');
    const changes = await changesOf(() => {
      writeFileSync(created, 'A=1');
      mkdirSync(createdFolder, { recursive: true });
      rmSync(removed);
      rmSync(swapped);
      symlinkSync(elsewhere, swapped);
    });
    expect(changes).toEqual([created, join(folder, 'sub'), removed, swapped].sort());
    expect(readdirSync(folder)).toHaveLength(5);
    expect(readFileSync(removed, 'utf8')).toBe('ours=PATH\n');
    expect(lstatSync(swapped).isFile()).toBe(true);
    expect(readFileSync(swapped, 'utf8')).toBe('ours=STATE\n');
    expect(readFileSync(elsewhere, 'utf8')).toBe('theirs');
  });

  it('leaves existing folders and links alone, and accepts missing files', async () => {
    mkdirSync(join(folder, 'sub'));
    symlinkSync('/dev/null', join(folder, 'link'));
    environment.GITHUB_OUTPUT = join(root, 'missing', 'output');
    expect(await changesOf(() => undefined)).toEqual([]);
    expect(existsSync(join(folder, 'sub'))).toBe(true);
    expect(await changesOf(() => rmSync(join(folder, 'link')))).toEqual([join(folder, 'link')]);
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
  });

  it('does nothing outside a runner', async () => {
    environment = {};
    expect(await changesOf(() => writeFileSync(join(folder, 'x'), ''))).toEqual([]);
  });
});
