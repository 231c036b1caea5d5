import { describe, expect, it } from 'vitest';
import type { JournalEvent, NewEvent } from '../../src/journal/event.js';
import { foldEvents } from '../../src/journal/run-state.js';
import { type CommentFacts, commentText } from '../../src/publish/comment-text.js';
import { maxCommentBytes } from '../../src/publish/review-text.js';
import { makeReport } from '../../src/report/report.js';
import { createRedactor } from '../../src/security/redact.js';
import { agentStep, planOf } from '../fakes/plan.js';

const fingerprint = { definition: '', agent: '', spec: '', vars: '' };
const from = { base: 'start', commit: 'c1' };

interface StepEnding {
  readonly text?: string;
  readonly output?: string;
  readonly status?: 'passed' | 'failed';
}

function stepEvents(step: string, { text, output = '', status = 'passed' }: StepEnding): readonly NewEvent[] {
  const ref = { step, number: 1, jobAttempt: 1 };
  const gates = [{ name: 'bash_0', type: 'bash', status, output, durationMs: 1 }];
  const failure = status === 'failed' ? { failure: { kind: 'gate', message: 'gate failed' } as const } : {};
  const result = text === undefined ? {} : { output: { name: 'artifact.txt', text } as const };
  return [
    { type: 'step-started', step, fingerprint, from },
    { type: 'attempt-started', ...ref, agent: 'claude-haiku', provider: 'claude', prompt: 'p' },
    {
      type: 'agent-ended',
      ...ref,
      usage: { costUsd: 0.5 },
      snapshot: from,
      changed: false,
      ignored: [],
      durationMs: 1,
      ...result,
    },
    { type: 'attempt-ended', ...ref, status, gates, files: [], durationMs: 1, ...failure },
    { type: 'step-ended', step, status, jobAttempt: 1 },
  ];
}

const published: readonly NewEvent[] = [
  { type: 'published', kind: 'push', jobAttempt: 1, content: 't', commit: '0123456789abcdef' },
  { type: 'published', kind: 'pull-request', jobAttempt: 1, content: 't', pullRequest: 8, url: 'https://x' },
];

function facts(
  endings: Readonly<Record<string, StepEnding>>,
  more: Partial<CommentFacts> = {},
  extra: readonly NewEvent[] = [],
): CommentFacts {
  const plan = planOf(Object.keys(endings).map((name) => agentStep(name, { type: 'artifact' })));
  const events = [...Object.entries(endings).flatMap(([name, ending]) => stepEvents(name, ending)), ...extra];
  const state = foldEvents(events.map((event) => ({ ...event, at: 0 }) as JournalEvent));
  const hasFailed = Object.values(endings).some(({ status }) => status === 'failed');
  const report = makeReport(plan, state, {
    status: hasFailed ? 'failed' : 'passed',
    runId: '7',
    jobAttempt: 1,
    startCommit: 'C',
    persisted: true,
    resumed: false,
    reusedSteps: new Set(),
  });
  return {
    report,
    state,
    warnings: [],
    key: 'a'.repeat(20),
    results: [],
    runUrl: 'https://github.com/o/r/actions/runs/7/attempts/1',
    repositoryUrl: 'https://github.com/o/r',
    ...more,
  };
}

const plain = (text: string) => text;
const textOf = (...args: Parameters<typeof facts>) => commentText(facts(...args), plain);

/** Whether each fence and each folded part of a text is closed. */
function isClosed(text: string): boolean {
  const fences = text.match(/^`{3,}/gm)?.length ?? 0;
  const parts = (word: string) => text.match(new RegExp(`<${word}>`, 'g'))?.length ?? 0;
  return fences % 2 === 0 && parts('details') === parts('/details');
}

describe('the text of the comment', () => {
  it('shows the wanted results in full, in their order, and folds the others', () => {
    const text = textOf(
      { a: { text: '# A' }, b: { text: '# B' }, c: { text: '# C' } },
      { results: ['b', 'a'] },
    );
    expect(text).toMatch(/\*\*Result of b\*\*\n\n# B\n\n\*\*Result of a\*\*\n\n# A\n/);
    expect(text).toMatch(/<details><summary>Results<\/summary>\n\n\*\*Result of c\*\*\n\n```text\n# C/);
  });

  it('has the failures, what a re-run does, the warnings and the link to the run', () => {
    const ending = { a: { status: 'failed', output: 'it broke' } } as const;
    const text = textOf(ending, {
      rerun: '"Re-run failed jobs" runs step `a` again.',
      warnings: ['Careful.'],
    });
    expect(text).toContain('❌ **a** failed in attempt 1 (gate): gate failed.');
    expect(text).toContain('it broke');
    expect(text).toContain('**Next:** "Re-run failed jobs" runs step <code>a</code> again.');
    expect(text).toContain('<details><summary>Warnings: 1</summary>');
    expect(text).toContain('· [run](https://github.com/o/r/actions/runs/7/attempts/1)');
    expect(text).toContain('$0.50');
  });

  it('has no character that GitHub refuses, also not from a program', () => {
    const text = textOf(
      { a: { status: 'failed', output: 'it\u0000 broke \ud800' }, b: { text: 'x\u0000y' } },
      { results: ['b'], warnings: ['a\u0000b'] },
    );
    expect(text).toContain('it broke');
    expect(text).toMatch(/^(?:(?!\p{Cs})[\n\P{Cc}])*$/u);
  });

  it('links to what the run published', () => {
    const text = textOf({ a: {} }, { published: ['[Review](https://y): 1 new'] }, published);
    expect(text).toContain(
      'Commit: [0123456](https://github.com/o/r/commit/0123456789abcdef) · Pull request: [#8](https://github.com/o/r/pull/8) · [Review](https://y): 1 new',
    );
  });

  it('contains no secret, also not after a cut', () => {
    const secret = 'sk-ant-api03-CANARY-0123456789abcdefghij';
    const text = commentText(
      facts({ a: { text: `${'x'.repeat(70_000)} ${secret}` }, b: { text: secret } }, { results: ['b', 'a'] }),
      createRedactor([secret]),
    );
    expect(text).toContain('***');
    expect(text).not.toContain('CANARY');
  });

  it.each([
    ['a long result', { a: { text: 'word '.repeat(40_000) } }],
    ['a long result in a fence', { a: { text: `\`\`\`ts\n${'@a();\n'.repeat(40_000)}\`\`\`` } }],
    ['a result of characters that grow', { a: { text: '@'.repeat(100_000) } }],
    ['several long results', { a: { text: 'a\n'.repeat(60_000) }, b: { text: '<b>'.repeat(60_000) } }],
    ['results of four bytes for a character', { a: { text: '🎉'.repeat(60_000) } }],
    [
      'many failures with long lines',
      many(60, { status: 'failed', output: `${'y'.repeat(400)}\n`.repeat(40) }),
    ],
    ['many other results', { a: { text: 'short' }, ...many(80, { text: 'z '.repeat(10_000) }) }],
  ] as readonly (readonly [string, Readonly<Record<string, StepEnding>>])[])(
    'has at most 64 KB with %s, and everything in it is closed',
    (_name, endings) => {
      const text = textOf(endings, { results: ['a', 'b'] });
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxCommentBytes);
      expect(text).toMatch(/^<!-- gump-action:comment:1 a{20} -->\n### /);
      expect(isClosed(text)).toBe(true);
      expect(text).toContain('| Step |');
    },
  );

  it('says that the rest of a result is in the run', () => {
    const text = textOf({ a: { text: 'word '.repeat(40_000) } }, { results: ['a'] });
    expect(text).toMatch(/\[\.\.\. \d+ more bytes\]\n\nThe rest is in the \[run\]/);
    expect(Buffer.byteLength(text)).toBeGreaterThan(40_000);
  });
});

function many(count: number, ending: StepEnding): Readonly<Record<string, StepEnding>> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`step-${at}`, ending]));
}
