import { describe, expect, it } from 'vitest';
import { parsePairs } from '../rig/runner/file-commands.js';
import { maskLog, readCommands } from '../rig/runner/log-commands.js';

describe('readCommands', () => {
  it('reads name, properties and text with their escapes', () => {
    const [command] = readCommands('  ::error file=a%2Cb.yml,line=3,title=x%3Ay::one%0Atwo %2525');
    expect(command).toEqual({
      name: 'error',
      properties: { file: 'a,b.yml', line: '3', title: 'x:y' },
      text: 'one\ntwo %25',
      line: 1,
    });
  });

  it('reads the older form anywhere in a line, and ignores unknown names', () => {
    const log = 'text ::error::not at the start\nsaid ##[warning]old\n::unknown::x\n::group::G';
    expect(readCommands(log).map(({ name, line }) => [name, line])).toEqual([
      ['warning', 2],
      ['group', 4],
    ]);
  });

  it('ignores everything between stop-commands and its token', () => {
    const log =
      '::stop-commands::tok\n::error::from an agent\n##[error]too\n::other::\n::tok::\n::notice::ours';
    expect(readCommands(log).map(({ name }) => name)).toEqual(['stop-commands', 'notice']);
  });
});

it('masks every line of a masked value, and removes the command', () => {
  const log = 'before\n::add-mask::line-one%0Aline-two\nsaid line-two and line-one';
  expect(maskLog(log, readCommands(log))).toBe('before\nsaid *** and ***');
});

describe('parsePairs', () => {
  it('reads both forms', () => {
    expect(parsePairs('a=1=2\nb<<END\nx\n\ny=z\nEND\nc<<E\nE\n')).toEqual({ a: '1=2', b: 'x\n\ny=z', c: '' });
  });

  it('refuses what the runner refuses', () => {
    expect(() => parsePairs('b<<END\nx')).toThrow('has no end');
    expect(() => parsePairs('no sign')).toThrow('not a name=value line');
  });
});
