import { describe, expect, it } from 'vitest';
import { createTranslator } from '../../src/local/terminal-log.js';
import { terminalText } from '../../src/local/terminal-text.js';
import { writeResumeMark } from '../../src/report/resume-mark.js';
import { couldBeCommand } from '../../src/report/workflow-commands.js';

function shown(log: readonly string[], isInJob = false): readonly string[] {
  const translate = createTranslator({ isInJob });
  return log.flatMap((line) => translate(line)).map(({ kind, text }) => `${kind}|${text}`);
}

describe('the log in a terminal', () => {
  it('has headings for groups, labels for annotations, and no commands', () => {
    const log = [
      'Hello',
      '::group::One',
      'inside',
      '::endgroup::',
      '::error file=a.yaml,line=1,title=gump%3A x::a.yaml:1:1: Bad%0A  1 | x%25',
      '::warning::careful',
      '::notice::note',
      '::debug::quiet',
    ];
    expect(shown(log)).toEqual([
      'text|Hello',
      'heading|One',
      'text|  inside',
      'error|Error: a.yaml:1:1: Bad',
      'error|  1 | x%',
      'warning|Warning: careful',
      'notice|Notice: note',
      'debug|quiet',
    ]);
  });

  it('shows text of agents as it is, and never a secret', () => {
    const log = [
      '::stop-commands::abc',
      '::error::not one',
      '::add-mask::secret',
      '::abc::',
      '::add-mask::other',
    ];
    const lines = shown(log);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.replaceAll('\u2060', '')).toBe('text|::error::not one');
  });

  it.each(['::error::x', '  ::set-env name=a::b', 'x ##[error]y', ' │ ##[add-path]/tmp'])(
    'makes no command of %j, in a terminal and in a job',
    (line) => {
      for (const isInJob of [false, true]) {
        const translate = createTranslator({ isInJob });
        translate('::stop-commands::token');
        const texts = translate(line).map(({ text }) => text);
        expect(texts.length).toBeGreaterThan(0);
        expect(texts.filter(couldBeCommand)).toEqual([]);
      }
    },
  );

  it('keeps paths free of invisible characters, but only outside of a job', () => {
    expect(shown([' │ a.go:\u20603:1: x'])).toEqual(['text| │ a.go:3:1: x']);
    expect(shown([' │ a.go:\u20603:1: x'], true)).toEqual(['text| │ a.go:\u20603:1: x']);
  });
});

it.each([
  [
    'Step `a` failed. "Re-run failed jobs" before 2026-12-29 reuses the result of 1 step and runs the remaining steps.',
    'Step `a` failed. The same command reuses the result of 1 step and runs the remaining steps.',
  ],
  [
    'A re-run reaches the same limit and starts no agent.',
    'A further run reaches the same limit and starts no agent.',
  ],
  [
    'Step `b/c` waits for approval. To continue, run this action in a job of the same run with `approve: b/c` and more.',
    'Step `b/c` waits for approval. To continue, add `--approve b/c` to the same command.',
  ],
  [
    `Step \`a\` waits for the model service. "Re-run failed jobs" after 2026-11-28 18:00 UTC and before 2026-12-05 resumes the session of step \`a\`. A re-run before that time starts no agent.\n${writeResumeMark({ reason: 'limit', at: 0, progress: '0123456789abcdef' })}`,
    'Step `a` waits for the model service. After 2026-11-28 18:00 UTC, the same command resumes the session of step `a`. A further run before that time starts no agent.',
  ],
  ['Step `a` waits for nothing.', 'Step `a` waits for nothing.'],
])('says what to do with the command instead of %j', (message, expected) => {
  expect(terminalText(message)).toBe(expected);
});
