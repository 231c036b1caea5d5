import { describe, expect, it } from 'vitest';
import { type CliQuestion, chooseCli } from '../../src/install/choose.js';
import { claude } from '../../src/providers/claude.js';
import { cursor } from '../../src/providers/cursor.js';

const ask = (told: Partial<CliQuestion>) =>
  chooseCli({ provider: claude, mode: 'auto', pinned: '2.0.0', ...told });
const npm = (version: string) => ({ from: 'npm', package: claude.npm, version });

describe('chooseCli', () => {
  it.each<[string, Partial<CliQuestion>, object]>([
    ['nothing there', {}, npm('2.0.0')],
    ['nothing there, a version asked for', { asked: '1.9.0' }, npm('1.9.0')],
    ['any version on PATH', { onPath: { version: '1.0.0' } }, { from: 'path', version: '1.0.0' }],
    ['a program that does not say its version', { onPath: {} }, { from: 'path' }],
    [
      'the version asked for on PATH',
      { onPath: { version: '1.9.0' }, asked: '1.9.0' },
      { from: 'path', version: '1.9.0' },
    ],
    ['another one on PATH', { onPath: { version: '1.0.0' }, asked: '1.9.0' }, npm('1.9.0')],
    ['an unknown one on PATH', { onPath: {}, asked: '1.9.0' }, npm('1.9.0')],
    ['one on PATH, and none to be installed', { onPath: {}, mode: 'never' }, { from: 'path' }],
    ['Cursor on PATH', { provider: cursor, onPath: {} }, { from: 'path' }],
  ])('%s', (_, question, choice) => expect(ask(question)).toEqual(choice));

  it.each<[string, Partial<CliQuestion>, RegExp]>([
    ['none to be installed', { mode: 'never' }, /^Claude Code is not there: no program `claude` is on PATH/],
    ['none of that version', { mode: 'never', asked: '1.9.0' }, /is not there in version 1\.9\.0/],
    [
      'another one',
      { mode: 'never', asked: '1.9.0', onPath: { version: '1.0.0' } },
      /on PATH is 1\.0\.0, .* asks for 1\.9\.0/,
    ],
    [
      'an unknown one',
      { mode: 'never', asked: '1.9.0', onPath: {} },
      /on PATH is of a version that it does not say/,
    ],
    ['not on npm', { provider: cursor }, /^Cursor is not there: .*it is not on npm/],
    [
      'not on npm, a version asked for',
      { provider: cursor, asked: '1.9.0', onPath: {} },
      /cannot be chosen here/,
    ],
  ])('nowhere: %s', (_, question, fault) =>
    expect(ask(question)).toEqual({ from: 'nowhere', fault: expect.stringMatching(fault) }),
  );
});
