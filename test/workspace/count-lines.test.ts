import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countLines, readLines } from '../../src/workspace/count-lines.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';

function folder(): string {
  const root = mkdtempSync(join(tmpdir(), 'lines-'));
  cleanUpAfterTest(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src/a.txt'), 'one\ntwo\nthree');
  return root;
}

describe('lines of a file', () => {
  it('are counted and read', () => {
    const root = folder();
    expect(countLines(root, 'src/a.txt')).toBe(3);
    expect(readLines(root, 'src/a.txt', 2, 3)).toBe('two\nthree');
    expect(readLines(root, 'src/a.txt', 4, 9)).toBe('');
  });

  it('are not read from a folder, a link, the repository, or a file that does not exist', () => {
    const root = folder();
    symlinkSync('a.txt', join(root, 'src/link.txt'));
    symlinkSync('src', join(root, 'other'));
    mkdirSync(join(root, '.git'));
    writeFileSync(join(root, '.git/config'), 'secret\n');
    for (const path of ['src', 'src/link.txt', 'other/a.txt', '.git/config', 'src/b.txt']) {
      expect([path, countLines(root, path), readLines(root, path, 1, 1)]).toEqual([path, undefined, '']);
    }
  });
});
