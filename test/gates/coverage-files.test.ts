import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readCoverageFiles, stampCoverageFiles } from '../../src/gates/coverage-files.js';
import { openProject } from '../../src/gates/project.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gump-coverage-'));
  cleanUpAfterTest(() => rmSync(directory, { recursive: true, force: true }));
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

const read = (before: ReadonlyMap<string, string>) =>
  readCoverageFiles(directory, openProject(directory, ''), before);

const summary = (share: unknown) =>
  JSON.stringify({ total: { lines: { pct: 90 }, statements: { pct: share } } });

describe('a coverage file', () => {
  it.each([
    ['coverage/coverage-summary.json', summary(71.4), 71.4],
    ['coverage-summary.json', '{"total":{"lines":{"pct":62.5}}}', 62.5],
    ['coverage/lcov.info', 'SF:a.js\nLF:3\nLH:1\nend_of_record\nSF:b.js\nLF:5\nLH:4\nend_of_record\n', 62.5],
    ['lcov.info', 'SF:a.js\nLF:3\nLH:2\nend_of_record\n', 66.66],
    ['coverage.lcov', 'SF:a.py\nDA:1,1\nLF:8\nLH:5\nend_of_record\n', 62.5],
    [
      'coverage/cobertura-coverage.xml',
      '<?xml version="1.0"?>\n<coverage lines-valid="8" line-rate="0.57">',
      57,
    ],
    // coverage.py 7.17
    [
      'coverage.xml',
      '<?xml version="1.0" ?>\n<coverage version="7.17.5" timestamp="1795901401152" lines-valid="8" lines-covered="5" line-rate="0.625" branch-rate="0.5">\n<class line-rate="1"/>',
      62.5,
    ],
    [
      'target/site/jacoco/jacoco.xml',
      '<report><package><counter type="LINE" missed="0" covered="3"/></package><counter type="LINE" missed="1" covered="3"/></report>',
      75,
    ],
  ])('%s is read', (path, text, share) => {
    const before = stampCoverageFiles(directory);
    write(path, text);
    expect(read(before)).toEqual({ path, share });
  });

  it('counts only if the command wrote it', () => {
    write('coverage/coverage-summary.json', summary(99));
    // A date in the future does not make it new.
    utimesSync(join(directory, 'coverage/coverage-summary.json'), 4e9, 4e9);
    const before = stampCoverageFiles(directory);
    expect(read(before)).toBeUndefined();
    write('coverage/lcov.info', 'LF:2\nLH:1\n');
    expect(read(before)).toEqual({ path: 'coverage/lcov.info', share: 50 });
    write('coverage/coverage-summary.json', summary(98));
    expect(read(before)?.share).toBe(98);
  });

  it.each([
    ['coverage/coverage-summary.json', '{'],
    ['coverage/coverage-summary.json', summary('Unknown')],
    ['coverage/coverage-summary.json', summary(450)],
    ['coverage/coverage-summary.json', 'null'],
    ['lcov.info', ''],
    ['lcov.info', 'LF:0\nLH:0\n'],
    ['cobertura.xml', '<coverage/>'],
    ['target/site/jacoco/jacoco.xml', '<report/>'],
  ])('that cannot be read is ignored: %s %j', (path, text) => {
    const before = stampCoverageFiles(directory);
    write(path, text);
    expect(read(before)).toBeUndefined();
  });
});
