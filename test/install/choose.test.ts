import { describe, expect, it } from 'vitest';
import { type CliRequest, chooseCli } from '../../src/install/choose.js';
import { claude } from '../../src/providers/claude.js';
import { cursor } from '../../src/providers/cursor.js';

const choose = (overrides: Partial<CliRequest>) =>
  chooseCli({ provider: claude, mode: 'auto', pinnedVersion: '2.0.0', ...overrides });
const npm = (version: string) => ({ from: 'npm', package: claude.npm, version });

describe('chooseCli', () => {
  it.each<[string, Partial<CliRequest>, object]>([
    ['no program on PATH', {}, npm('2.0.0')],
    ['no program on PATH, a required version', { requestedVersion: '1.9.0' }, npm('1.9.0')],
    ['any version on PATH', { onPath: { version: '1.0.0' } }, { from: 'path', version: '1.0.0' }],
    ['a program with an unknown version on PATH', { onPath: {} }, { from: 'path' }],
    [
      'the required version on PATH',
      { onPath: { version: '1.9.0' }, requestedVersion: '1.9.0' },
      { from: 'path', version: '1.9.0' },
    ],
    ['another version on PATH', { onPath: { version: '1.0.0' }, requestedVersion: '1.9.0' }, npm('1.9.0')],
    ['an unknown version on PATH', { onPath: {}, requestedVersion: '1.9.0' }, npm('1.9.0')],
    ['a program on PATH and `install: never`', { onPath: {}, mode: 'never' }, { from: 'path' }],
    ['Cursor on PATH', { provider: cursor, onPath: {} }, { from: 'path' }],
  ])('%s', (_, question, choice) => expect(choose(question)).toEqual(choice));

  it.each<[string, Partial<CliRequest>, RegExp]>([
    [
      '`install: never`',
      { mode: 'never' },
      /^Claude Code CLI not found on PATH \(program `claude`\), and `install: never` allows no installation\./,
    ],
    [
      'not the required version',
      { mode: 'never', requestedVersion: '1.9.0' },
      /CLI 1\.9\.0 not found on PATH/,
    ],
    [
      'another version',
      { mode: 'never', requestedVersion: '1.9.0', onPath: { version: '1.0.0' } },
      /requires Claude Code CLI 1\.9\.0, but PATH has 1\.0\.0/,
    ],
    [
      'an unknown version',
      { mode: 'never', requestedVersion: '1.9.0', onPath: {} },
      /but PATH has an unknown version/,
    ],
    ['not on npm', { provider: cursor }, /^Cursor CLI not found on PATH/],
    [
      'not on npm, a required version',
      { provider: cursor, requestedVersion: '1.9.0', onPath: {} },
      /the version of Cursor CLI cannot be selected/,
    ],
  ])('no CLI: %s', (_, question, problem) =>
    expect(choose(question)).toEqual({ from: 'nowhere', problem: expect.stringMatching(problem) }),
  );
});
