/** The runner's command files of this step: what the action writes to them, and what others wrote to them. */
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStepFiles, stepFilesOf } from '../../src/security/step-files.js';
import { parsePairs } from '../rig/runner/file-commands.js';

const names = ['ENV', 'PATH', 'OUTPUT', 'STATE', 'STEP_SUMMARY', 'ARTIFACTS', 'ARTIFACTS_LIST'];

let root: string;
/** The folder of the runner's command files. */
let folder: string;
let environment: Record<string, string>;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gump-test-'));
  folder = join(root, '_runner_file_commands');
  mkdirSync(folder);
  environment = {};
  for (const name of names) {
    const path = join(folder, `${name.toLowerCase()}_1234`);
    writeFileSync(path, '');
    environment[`GITHUB_${name}`] = path;
  }
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const pathOf = (name: string): string => environment[name] ?? '';
const contentOf = (name: string): string => readFileSync(pathOf(name), 'utf8');

const found = (...paths: readonly string[]) => [
  {
    what: `command files of the runner (${paths.map((path) => basename(path)).join(', ')})`,
    effect: 'run',
  },
];

describe('what the action writes', () => {
  it('is in the files', () => {
    const files = openStepFiles(environment);
    files.setOutput('status', 'passed');
    files.setOutput('text', 'two\nlines');
    files.saveState('gump', '/tmp/x');
    files.setSummary('first');
    files.setSummary('second');
    expect(parsePairs(contentOf('GITHUB_OUTPUT'))).toEqual({ status: 'passed', text: 'two\nlines' });
    expect(parsePairs(contentOf('GITHUB_STATE'))).toEqual({ gump: '/tmp/x' });
    expect(contentOf('GITHUB_STEP_SUMMARY')).toBe('second');
    expect(readdirSync(folder)).toHaveLength(names.length);
  });

  it('replaces what a process wrote before and between', () => {
    appendFileSync(pathOf('GITHUB_OUTPUT'), 'EVIL=1\n');
    appendFileSync(pathOf('GITHUB_ENV'), 'EVIL=1\n');
    const files = openStepFiles(environment);
    files.setOutput('a', '1');
    appendFileSync(pathOf('GITHUB_OUTPUT'), 'EVIL=1\n');
    files.setOutput('b', '2');
    expect(parsePairs(contentOf('GITHUB_OUTPUT'))).toEqual({ a: '1', b: '2' });
    expect(contentOf('GITHUB_ENV')).toBe('');
  });

  it('is no change', async () => {
    const files = openStepFiles(environment);
    files.setOutput('a', '1');
    files.setSummary('text');
    expect(await files.restore()).toEqual([]);
    expect(files.restoreAll()).toEqual([]);
  });

  it('is known to all parts of the action that have the same environment', () => {
    stepFilesOf(environment).setOutput('a', '1');
    stepFilesOf(environment).setOutput('b', '2');
    expect(parsePairs(contentOf('GITHUB_OUTPUT'))).toEqual({ a: '1', b: '2' });
  });

  it('cannot be written outside of a runner', () => {
    expect(() => openStepFiles({}).setOutput('a', '1')).toThrow('GITHUB_OUTPUT is not set');
    expect(openStepFiles({}).restoreAll()).toEqual([]);
  });
});

describe('what others wrote', () => {
  it.each(names)('to GITHUB_%s is found and removed', async (name) => {
    const files = openStepFiles(environment);
    const path = pathOf(`GITHUB_${name}`);
    appendFileSync(path, 'NODE_OPTIONS=--require=evil\n');
    expect(await files.restore()).toEqual(found(path));
    expect(readFileSync(path, 'utf8')).toBe('');
    expect(await files.restore()).toEqual([]);
  });

  it('is found by the content, even if size and times are the same', () => {
    const files = openStepFiles(environment);
    files.setSummary('ours');
    const path = pathOf('GITHUB_STEP_SUMMARY');
    const { atime, mtime } = statSync(path);
    writeFileSync(path, 'evil');
    utimesSync(path, atime, mtime);
    expect(files.restoreAll()).toEqual([path]);
    expect(contentOf('GITHUB_STEP_SUMMARY')).toBe('ours');
  });

  it('is found if the file was removed or replaced', async () => {
    const files = openStepFiles(environment);
    files.saveState('gump', 'ours');
    const elsewhere = join(root, 'elsewhere');
    writeFileSync(elsewhere, 'theirs');
    rmSync(pathOf('GITHUB_PATH'));
    rmSync(pathOf('GITHUB_STATE'));
    symlinkSync(elsewhere, pathOf('GITHUB_STATE'));
    rmSync(pathOf('GITHUB_ENV'));
    mkdirSync(pathOf('GITHUB_ENV'));
    expect(await files.restore()).toEqual(
      found(pathOf('GITHUB_ENV'), pathOf('GITHUB_PATH'), pathOf('GITHUB_STATE')),
    );
    expect([contentOf('GITHUB_PATH'), contentOf('GITHUB_ENV')]).toEqual(['', '']);
    expect(lstatSync(pathOf('GITHUB_STATE')).isFile()).toBe(true);
    expect(parsePairs(contentOf('GITHUB_STATE'))).toEqual({ gump: 'ours' });
    expect(readFileSync(elsewhere, 'utf8')).toBe('theirs');
  });

  it('stays in the files of other steps', async () => {
    const files = openStepFiles(environment);
    const other = join(folder, 'set_output_5678');
    writeFileSync(other, 'theirs=1\n');
    expect([await files.restore(), files.restoreAll()]).toEqual([[], []]);
    expect(readFileSync(other, 'utf8')).toBe('theirs=1\n');
  });

  it('stays in a file that is not only for what the action writes', async () => {
    writeFileSync(pathOf('GITHUB_ARTIFACTS_LIST'), 'one\n');
    const files = openStepFiles(environment);
    appendFileSync(pathOf('GITHUB_ARTIFACTS_LIST'), 'two\n');
    expect(await files.restore()).toEqual(found(pathOf('GITHUB_ARTIFACTS_LIST')));
    expect(contentOf('GITHUB_ARTIFACTS_LIST')).toBe('one\n');
  });

  it('is removed if there was no file', async () => {
    rmSync(pathOf('GITHUB_ENV'));
    environment.GITHUB_OUTPUT = join(root, 'missing', 'output');
    const files = openStepFiles(environment);
    expect(await files.restore()).toEqual([]);
    writeFileSync(pathOf('GITHUB_ENV'), 'EVIL=1\n');
    expect(await files.restore()).toEqual(found(pathOf('GITHUB_ENV')));
    expect(existsSync(pathOf('GITHUB_ENV'))).toBe(false);
  });
});
