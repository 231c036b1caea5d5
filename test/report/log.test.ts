import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog, type LogOptions, standardOutput } from '../../src/report/log.js';
import { annotation, command } from '../../src/report/workflow-commands.js';
import { createRedactor } from '../../src/security/redact.js';
import { holds } from '../fakes/holds.js';

const secret = 'sk-very-secret-0123456789';

function logOf(more: Partial<LogOptions> = {}) {
  let output = '';
  let tokens = 0;
  const log = createLog({
    write: (text) => {
      output += text;
    },
    redact: createRedactor([secret]),
    isDebug: false,
    newToken: () => `token-${++tokens}`,
    ...more,
  });
  return { log, output: () => output, lines: () => output.split('\n').slice(0, -1) };
}

/** Commands that the runner knows (actions/runner, `ActionCommandManager` and its extensions). */
const known = new Set([
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'internal-set-repo-path',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
]);

/** The commands that a runner would read from an output: both forms, and the token that stops them. */
function commandsTaken(output: string): string[] {
  const taken: string[] = [];
  let stopToken: string | undefined;
  // .NET's ReadLine ends a line at CR, LF and both.
  for (const line of output.split(/\r\n|\r|\n/)) {
    const parsed = parse(line, (name) => known.has(name) || name === stopToken?.toLowerCase());
    if (parsed === undefined) continue;
    if (stopToken !== undefined) {
      if (parsed.name === stopToken.toLowerCase()) stopToken = undefined;
    } else if (parsed.name === 'stop-commands') stopToken = parsed.data;
    else taken.push(`${parsed.name}:${parsed.data}`);
  }
  return taken;
}

function parse(line: string, isKnown: (name: string) => boolean): { name: string; data: string } | undefined {
  const second = /^\s*::(.*?)::(.*)$/s.exec(line);
  const name = second?.[1]?.split(' ')[0]?.toLowerCase() ?? '';
  if (second && isKnown(name)) return { name, data: second[2] ?? '' };
  const first = /##\[(.*?)\](.*)$/s.exec(line);
  const other = first?.[1]?.split(' ')[0]?.toLowerCase() ?? '';
  return first && isKnown(other) ? { name: other, data: first[2] ?? '' } : undefined;
}

describe("the test's own runner", () => {
  it('ends an error with the line for programs, after the address of the documentation', () => {
    const { log, lines } = logOf({ helpFor: () => 'https://help' });
    log.error('It waits.', { title: 'gump: resume at X' }, 'gump-resume: {}');
    log.error('It failed.');
    expect(lines()).toEqual([
      '::error title=gump%3A resume at X::It waits.%0AHelp: https://help%0Agump-resume: {}',
      '::error::It failed.%0AHelp: https://help',
    ]);
  });

  it('accepts commands of both forms, and none while they are stopped', () => {
    const output =
      ' ::error file=a::x\nsay ##[add-mask]y\n::stop-commands::T\n::error::z\n##[debug]z\n::t::\n::debug::w\n';
    expect(commandsTaken(output)).toEqual(['error:x', 'add-mask:y', 'debug:w']);
  });
});

describe('command', () => {
  it('escapes message and properties so that they do not end early', () => {
    expect(annotation('error', 'a%\r\nb::c', { file: 'a:b,c.yaml', line: 3, column: 7 })).toBe(
      '::error file=a%3Ab%2Cc.yaml,line=3,endLine=3,col=7::a%25%0D%0Ab::c\n',
    );
    expect(command('endgroup')).toBe('::endgroup::\n');
    expect(annotation('notice', 'x', { file: 'f' })).toBe('::notice file=f::x\n');
  });
});

describe('text of others', () => {
  it('is printed while the runner accepts no commands; the log stops them once and resumes them before its own', () => {
    const { log, lines } = logOf();
    log.untrusted('::set-env name=A::b');
    log.untrusted('more');
    log.warning('ours');
    log.untrusted('again');
    log.close();
    expect(lines()).toEqual([
      '::stop-commands::token-1',
      ' │ ::set-env name=A::b',
      ' │ more',
      '::token-1::',
      '::warning::ours',
      '::stop-commands::token-2',
      ' │ again',
      '::token-2::',
    ]);
  });

  it('is never read as a command, whatever prints it', () => {
    const piece = fc.constantFrom(
      '::',
      '##[',
      ']',
      'error',
      'add-mask',
      'set-env',
      'stop-commands',
      'endgroup',
      'token-1',
      'token-2',
      ' ',
      '\n',
      '\r',
      '\r\n',
      '\u001b[31m',
      '\u001b',
      '\u0000',
      '\u0085',
      '\u2028',
      '\t',
      'x',
      '%0A',
      ' file=a,line=1',
      secret,
    );
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    const call = fc.tuple(
      fc.constantFrom(
        'untrusted' as const,
        'info' as const,
        'warning' as const,
        'group' as const,
        'debug' as const,
      ),
      text,
    );
    holds(
      fc.property(fc.array(call, { maxLength: 8 }), (calls) => {
        const { log, output } = logOf({ isDebug: true, newToken: unguessable() });
        for (const [kind, what] of calls) log[kind](what);
        log.close();
        const taken = commandsTaken(output()).map((one) => one.split(':')[0]);
        expect(taken.filter((name) => name !== 'endgroup')).toEqual(
          calls.map(([kind]) => kind).filter((kind) => kind !== 'untrusted' && kind !== 'info'),
        );
        expect(output()).not.toContain(secret);
      }),
      60,
    );
  });

  it('loses control characters except tabs and colours; a colour ends with its line', () => {
    const { log, lines } = logOf();
    log.untrusted('a\tb\u0000\u0007\u009b\u007f \u001b[2K\u001b]0;title\u0007\u001b(B\u001b[1;31mred');
    log.untrusted('\u001b[32mgreen\u001b[0m');
    expect(lines().slice(1)).toEqual([' │ a\tb \u001b[1;31mred\u001b[0m', ' │ \u001b[32mgreen\u001b[0m']);
  });

  it('has the same lines as the runner sees, and none more at the end', () => {
    const { log, lines } = logOf();
    log.untrusted('a\rb\r\nc\n');
    log.untrusted('');
    expect(lines().slice(1)).toEqual([' │ a', ' │ b', ' │ c', ' │ ']);
  });

  it('is truncated if a line is very long, also within a colour', () => {
    const { log, lines } = logOf();
    log.untrusted('x'.repeat(2100));
    log.untrusted(`${'x'.repeat(1998)}\u001b[31mred`);
    expect(lines()[1]).toBe(` │ ${'x'.repeat(2000)} … (100 more characters)`);
    expect(lines()[2]).toBe(` │ ${'x'.repeat(1998)} … (6 more characters)`);
  });

  it('shows no secret that a control character or the truncation could hide', () => {
    const { log, output } = logOf();
    log.untrusted(`${secret.slice(0, 9)}\u0000${secret.slice(9)}`);
    log.untrusted(`${'x'.repeat(1985)}${secret}`);
    expect(output()).not.toContain(secret.slice(0, 12));
    expect(output()).toContain('***');
  });

  it('uses unguessable tokens by default', () => {
    const tokens = [1, 2].map(() => {
      let output = '';
      const log = createLog({
        write: (text) => {
          output += text;
        },
        redact: (text) => text,
        isDebug: false,
      });
      log.untrusted('x');
      return /^::stop-commands::([0-9a-f]{32})\n/.exec(output)?.[1];
    });
    expect(tokens[0]).toBeDefined();
    expect(tokens[0]).not.toBe(tokens[1]);
  });
});

describe('lines of the action', () => {
  it('are redacted, whatever they are printed as', () => {
    const { log, output } = logOf({ isDebug: true });
    log.info(`i ${secret}`);
    log.debug(`d ${secret}`);
    log.notice(`n ${secret}`, { file: secret });
    log.error(`e ${secret}`);
    log.group(`g ${secret}`);
    expect(output()).toBe(
      'i ***\n::debug::d ***\n::notice file=***::n ***\n::error::e ***\n::group::g ***\n',
    );
  });

  it('may quote what looks like a command', () => {
    const { log, output, lines } = logOf();
    log.info('step "##[add-mask]x"\nand more');
    log.info('plain');
    expect(commandsTaken(output())).toEqual([]);
    expect(lines().slice(-2)).toEqual(['::token-1::', 'plain']);
  });

  it('print debug messages only if debug logging is on', () => {
    const { log, output } = logOf();
    log.debug('x');
    expect(output()).toBe('');
  });

  it('close a group before the next, and once', () => {
    const { log, lines } = logOf();
    log.endGroup();
    log.group('one');
    log.group('two\nlines');
    log.endGroup();
    log.endGroup();
    expect(lines()).toEqual(['::group::one', '::endgroup::', '::group::two lines', '::endgroup::']);
  });

  it('are cut before their last line, which is for programs: GitHub keeps 4,096 characters', () => {
    const { log, lines } = logOf({ helpFor: () => 'https://example.com/help' });
    log.error(`Why: ${'x'.repeat(5000)}`, { title: 'a title' }, 'for-programs: 1');
    const text =
      lines()[0]
        ?.replace(/^::error title=a title::/, '')
        .replaceAll('%0A', '\n') ?? '';
    expect(text.length).toBeLessThanOrEqual(4000);
    expect(text).toMatch(/^Why: x+…\nHelp: https:\/\/example\.com\/help\nfor-programs: 1$/);
    log.error(`All of it: ${'x'.repeat(5000)}`);
    expect(lines()[1]?.length).toBeGreaterThan(5000);
  });

  it('mask a secret with a command that must contain it', () => {
    const { log, output } = logOf();
    log.mask(`${secret}%\nx`);
    expect(output()).toBe(`::add-mask::${secret}%25%0Ax\n`);
  });
});

describe('standardOutput', () => {
  it('still prints while process.stdout.write is silenced', () => {
    const original = process.stdout.write;
    const seen: unknown[] = [];
    try {
      process.stdout.write = ((text: unknown) => seen.push(text) > 0) as typeof process.stdout.write;
      const { write } = standardOutput();
      process.stdout.write = (() => true) as typeof process.stdout.write;
      write('still here');
    } finally {
      process.stdout.write = original;
    }
    expect(seen).toEqual(['still here']);
  });
});

/** Unguessable tokens, as in production. */
function unguessable(): () => string {
  let count = 0;
  return () => `Z9q-${++count}-unguessed`;
}
