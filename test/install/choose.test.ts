import { describe, expect, it } from 'vitest';
import { type CliRequest, chooseCli } from '../../src/install/choose.js';
import { claude } from '../../src/providers/claude.js';
import { cursor } from '../../src/providers/cursor.js';

const choose = (overrides: Partial<CliRequest>) =>
  chooseCli({ provider: claude, mode: 'auto', pinnedVersion: '2.0.0', ...overrides });
const npm = (version: string) => ({ from: 'npm', package: claude.npm, version });

describe('chooseCli', () => {
  it.each<[string, Partial<CliRequest>, object]>([
    ['nothing there', {}, npm('2.0.0')],
    ['nothing there, a version asked for', { requestedVersion: '1.9.0' }, npm('1.9.0')],
    ['any version on PATH', { onPath: { version: '1.0.0' } }, { from: 'path', version: '1.0.0' }],
    ['a program that does not say its version', { onPath: {} }, { from: 'path' }],
    [
      'the version asked for on PATH',
      { onPath: { version: '1.9.0' }, requestedVersion: '1.9.0' },
      { from: 'path', version: '1.9.0' },
    ],
    ['another one on PATH', { onPath: { version: '1.0.0' }, requestedVersion: '1.9.0' }, npm('1.9.0')],
    ['an unknown one on PATH', { onPath: {}, requestedVersion: '1.9.0' }, npm('1.9.0')],
    ['one on PATH, and none to be installed', { onPath: {}, mode: 'never' }, { from: 'path' }],
    ['Cursor on PATH', { provider: cursor, onPath: {} }, { from: 'path' }],
  ])('%s', (_, question, choice) => expect(choose(question)).toEqual(choice));

  it.each<[string, Partial<CliRequest>, RegExp]>([
    ['none to be installed', { mode: 'never' }, /^Claude Code is not there: no program `claude` is on PATH/],
    ['none of that version', { mode: 'never', requestedVersion: '1.9.0' }, /is not there in version 1\.9\.0/],
    [
      'another one',
      { mode: 'never', requestedVersion: '1.9.0', onPath: { version: '1.0.0' } },
      /on PATH is 1\.0\.0, .* asks for 1\.9\.0/,
    ],
    [
      'an unknown one',
      { mode: 'never', requestedVersion: '1.9.0', onPath: {} },
      /on PATH is of a version that it does not say/,
    ],
    ['not on npm', { provider: cursor }, /^Cursor is not there: .*it is not on npm/],
    [
      'not on npm, a version asked for',
      { provider: cursor, requestedVersion: '1.9.0', onPath: {} },
      /cannot be chosen here/,
    ],
  ])('nowhere: %s', (_, question, problem) =>
    expect(choose(question)).toEqual({ from: 'nowhere', problem: expect.stringMatching(problem) }),
  );
});
