import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { viewHome } from '../../src/sessions/home-view.js';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gump-test-'));
  mkdirSync(join(home, 'tmp/b'), { recursive: true });
  mkdirSync(join(home, 'tmp/a'));
  writeFileSync(join(home, 'tmp/b/owner'), '/work\n');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('viewHome', () => {
  it('reads files and lists folders', () => {
    expect(viewHome(home).read('tmp/b/owner')).toBe('/work\n');
    expect(viewHome(home).list('tmp')).toEqual(['a', 'b']);
  });

  it('returns nothing if the path is missing or of another kind', () => {
    const view = viewHome(home);
    expect([view.read('projects.json'), view.read('tmp'), view.read('tmp/b/owner/x')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([
      view.list('history'),
      view.list('tmp/b/owner'),
      viewHome(join(home, 'none')).list('tmp'),
    ]).toEqual([[], [], []]);
  });

  it('follows no link and reads no large file', () => {
    symlinkSync(join(home, 'tmp/b'), join(home, 'tmp/link'));
    symlinkSync(join(home, 'tmp/b/owner'), join(home, 'tmp/a/owner'));
    writeFileSync(join(home, 'large'), 'x'.repeat(1_000_001));
    const view = viewHome(home);
    expect([view.read('tmp/link/owner'), view.read('tmp/a/owner'), view.read('large')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(view.list('tmp/link')).toEqual([]);
  });
});
