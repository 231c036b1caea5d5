import { describe, expect, it } from 'vitest';
import { readArguments } from '../../src/local/arguments.js';

describe('the command line', () => {
  it('has a command, a workflow and options', () => {
    const args = ['run', 'tdd', '--spec', 'x', '--agent', 'codex', '--var', 'a=1', '--var=b=c=d', '--fresh'];
    expect(readArguments(args)).toEqual({
      name: 'run',
      workflow: 'tdd',
      spec: 'x',
      agent: 'codex',
      vars: { a: '1', b: 'c=d' },
      isFresh: true,
    });
    expect(readArguments(['check', 'tdd'])).toEqual({
      name: 'check',
      workflow: 'tdd',
      vars: {},
      isFresh: false,
    });
    expect(readArguments(['run', '-h'])).toBe('help');
  });

  it.each([
    [[], 'The command is missing. Use `check`, `plan` or `run`.'],
    [['start', 'x'], '`start` is not a command. Use `check`, `plan` or `run`.'],
    [['run'], '`run`: the workflow is missing. Give the path or the name of one.'],
    [['run', 'a', 'b'], '`run`: `b` is one argument too many. Give one workflow.'],
    [['run', 'a', '--var', 'b'], '`--var b` has no value. Write `--var NAME=VALUE`.'],
    [['plan', 'a', '--fresh'], '`--approve` and `--fresh` belong to `run`. Remove them.'],
    [['run', 'a', '--sepc', 'x'], "Unknown option '--sepc'. See `gump-action --help`."],
  ])('reports what is wrong with %j', (args, message) => {
    expect(() => readArguments(args)).toThrow(message);
  });
});
