import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defined } from '../../src/optional-keys.js';
import { isPost } from '../../src/start.js';

let temp: string;
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'gump-entry-'));
  mkdirSync(join(temp, 'gump-abc123'));
  mkdirSync(join(temp, 'other'));
  symlinkSync(join(temp, 'other'), join(temp, 'gump-link'));
});
afterEach(() => rmSync(temp, { recursive: true, force: true }));

const isPostStage = (script: string, state?: string) =>
  isPost({ RUNNER_TEMP: temp, ...defined({ STATE_gump: state }) }, script);

describe('post', () => {
  it('is recognized by the name of the script, whatever the variables contain', () => {
    expect(isPostStage('/a/dist/post.js')).toBe(true);
    expect(isPostStage('/a/dist/index.js', join(temp, 'gump-abc123'))).toBe(false);
  });

  it('is recognized by a directory of the action if one script with another name is main and post', () => {
    expect(isPostStage('/a/both.mjs', join(temp, 'gump-abc123'))).toBe(true);
    expect(isPostStage('/a/both.mjs')).toBe(false);
    for (const planted of ['', '/pwned', 'other', 'gump-gone', 'gump-link', '../gump-abc123'])
      expect(isPostStage('/a/both.mjs', planted === '' ? '' : join(temp, planted)), planted).toBe(false);
  });
});

describe('an error that nothing catches', () => {
  it('prints its stack, but not the source line of the minified bundle', () => {
    const script = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
    const late =
      'data:text/javascript,const { exit } = process; process.exit = () => { process.exit = exit; throw new Error("late"); }';
    const { status, stderr } = spawnSync(process.execPath, ['--import', late, script], {
      env: { GITHUB_RUN_ID: '1' },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Error: late\n {4}at /);
    expect(stderr.length).toBeLessThan(5000);
  });
});
