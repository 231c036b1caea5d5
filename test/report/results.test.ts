/** Results in report, summary and annotations: what counts, in which order, and how long it is. */
import { describe, expect, it } from 'vitest';
import type { Attempt, RunState, StepState } from '../../src/journal/run-state.js';
import { emptyState } from '../../src/journal/run-state.js';
import { readChangedFiles, totalsOfChanges } from '../../src/report/change-statistics.js';
import { cutText } from '../../src/report/cut-text.js';
import { findingsTable } from '../../src/report/findings-table.js';
import { placeAnnotations } from '../../src/report/place-annotations.js';
import type { Report, ReportStep } from '../../src/report/report.js';
import { resultDetails } from '../../src/report/result-details.js';
import { resultOfStep, type StepResult } from '../../src/report/result-of-step.js';
import { resultOutput } from '../../src/report/result-output.js';
import { transcriptEvent, transcriptPrompt } from '../../src/report/transcript-text.js';

const step = (path: string, result?: StepResult, status: ReportStep['status'] = 'passed'): ReportStep => ({
  path,
  type: 'code',
  status,
  takenOver: false,
  attempts: [1, 2].map((number) => ({ number, jobAttempt: 1, status: 'passed', gates: [], usage: {} })),
  ...(result === undefined ? {} : { result }),
});

const report = (steps: readonly ReportStep[], more: Partial<Report> = {}): Report => ({
  version: 1,
  workflow: 'flow',
  status: 'passed',
  runId: '1',
  jobAttempt: 1,
  resumed: false,
  persisted: true,
  startCommit: '',
  totals: { durationMs: 1 },
  steps,
  ...more,
});

describe('cutText', () => {
  it('keeps whole characters, and notes how much is missing', () => {
    expect(cutText('abc', 3)).toBe('abc');
    const text = '€'.repeat(100);
    const cut = cutText(text, 100);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(100);
    expect(cut).toMatch(/^€+\n\n\[\.\.\. \d+ more bytes\]$/);
    expect(cut).not.toContain('\uFFFD');
    const kept = Buffer.byteLength(/^€+/.exec(cut)?.[0] ?? '');
    expect(cut).toContain(`[... ${300 - kept} more bytes]`);
    expect(Buffer.byteLength(cutText('x'.repeat(100_000)))).toBeLessThanOrEqual(65_536);
  });
});

describe('the output `result`', () => {
  const text = (value: string) => ({ text: value });

  it('is the text of the last step that has one', () => {
    const steps = [
      step('a', text('A')),
      step('b', text('B')),
      step('c', { pass: true, comments: 'C' }),
      step('d'),
    ];
    expect(resultOutput(report(steps))).toBe('B');
  });

  it('is that of a step that passed, not of one that failed, nor of a workflow that an attempt calls', () => {
    const failed = step('b', text('B'), 'failed');
    expect(resultOutput(report([step('a', text('A')), step('a/gate:r:1/x', text('X')), failed]))).toBe('A');
    expect(resultOutput(report([failed]))).toBe('B');
  });

  it('is otherwise the comments of a review, or a plan', () => {
    expect(resultOutput(report([step('a', { pass: false, comments: 'C' }, 'failed')]))).toBe('C');
    expect(resultOutput(report([step('a', { tasks: [{ name: 't', description: '', files: [] }] })]))).toBe(
      '1. t',
    );
    expect(resultOutput(report([step('a')]))).toBe('');
  });

  it('is that of the step that waits for approval', () => {
    const waiting = step('b', { pass: true, comments: 'C' }, 'paused');
    const steps = [step('a', text('A')), waiting];
    expect(resultOutput(report(steps, { status: 'paused', failedStep: 'b' }))).toBe('C');
  });
});

describe('the result of a step', () => {
  const attempt = (more: Partial<Attempt>): Attempt => ({
    number: 1,
    jobAttempt: 1,
    order: 1,
    startedAt: 0,
    status: 'passed',
    hasAgentEnded: true,
    gates: [],
    usage: {},
    changed: false,
    ignored: [],
    files: [],
    ...more,
  });
  const stateOf = (status: StepState['status'], ...attempts: readonly Attempt[]) =>
    ({ path: 'a', status, attempts }) as unknown as StepState;

  it('is that of the attempt that passed', () => {
    const passed = attempt({ text: 'good' });
    expect(resultOfStep(stateOf('passed', attempt({ status: 'failed', text: 'bad' }), passed))).toEqual({
      text: 'good',
    });
  });

  it('is absent for a state of version 0.1.0, which kept no final messages', () => {
    expect(resultOfStep(stateOf('passed', attempt({})))).toBeUndefined();
    const output = { name: 'validate.json', text: '{"pass": true, "comments": "c"}' } as const;
    expect(resultOfStep(stateOf('passed', attempt({ output })))).toEqual({
      pass: true,
      comments: 'c',
      findings: [],
    });
  });

  it('is absent if the file of the agent was not valid', () => {
    const output = { name: 'plan.json', text: '[{}]' } as const;
    expect(resultOfStep(stateOf('failed', attempt({ status: 'failed', output })))).toBeUndefined();
  });
});

describe('the size of a change', () => {
  it('counts lines of each file, also of those with odd names', () => {
    const patch = `diff --git a/a b.txt b/a b.txt
new file mode 100644
index 0..1
--- /dev/null
+++ b/a b.txt\t
@@ -0,0 +1,2 @@
+one
+++ b/not a header
diff --git a/old.txt b/new.txt
similarity index 90%
rename from old.txt
rename to new.txt
diff --git "a/q\\"x" "b/q\\"x"
index 0..1 100644
--- "a/q\\"x"
+++ "b/q\\"x"
@@ -1 +0,0 @@
-gone
\\ No newline at end of file
diff --git a/p.png b/p.png
index 0..1 100644
GIT binary patch
literal 5
+notcounted
`;
    const files = readChangedFiles(patch);
    expect(files).toEqual([
      { path: 'a b.txt', added: 2, removed: 0 },
      { path: 'new.txt', added: 0, removed: 0 },
      { path: 'q"x', added: 0, removed: 1 },
      { path: 'p.png' },
    ]);
    expect(totalsOfChanges(files)).toEqual({ files: 4, added: 2, removed: 1 });
    expect(readChangedFiles('')).toEqual([]);
  });
});

describe('findings', () => {
  const findings = Array.from({ length: 60 }, (_, index) => ({
    path: 'a.ts',
    line: index + 1,
    severity: 'error' as const,
    message: `| <b>${index}</b>`,
  }));

  it('are at most 10 annotations of each severity', () => {
    const notice = { severity: 'notice', message: 'n' } as const;
    const all = placeAnnotations(report([step('r', { findings: [...findings, notice] })]), emptyState);
    expect(all.filter(({ kind }) => kind === 'error')).toHaveLength(10);
    expect(all.at(-1)).toEqual({ kind: 'notice', message: 'Step `r`: n' });
  });

  it('of a workflow that judged an earlier attempt do not count', () => {
    const result = { findings: findings.slice(0, 1) };
    const steps = [step('impl'), step('impl/gate:r:1/judge', result), step('impl/gate:r:2/judge')];
    expect(placeAnnotations(report(steps), emptyState)).toEqual([]);
    expect(findingsTable(report(steps))).toBeUndefined();
    const last = [step('impl'), step('impl/gate:r:2/judge', result)];
    expect(placeAnnotations(report(last), emptyState)).toHaveLength(1);
  });

  it('are a table of bounded length in which no text is Markdown', () => {
    const table = findingsTable(report([step('r', { findings })])) ?? '';
    expect(table).toContain('| ❌&nbsp;error | <code>a.ts:1</code> | \\| &lt;b&gt;0&lt;/b&gt; |');
    expect(table).toContain('10 more findings are in the report.');
  });
});

describe('failed gates', () => {
  const stateWith = (status: 'passed' | 'failed'): RunState => {
    const place = { path: 'a.ts', line: 3, column: 2, severity: 'error', message: 'm' } as const;
    const gate = { name: 'test', type: 'test', status, output: '', durationMs: 1, places: [place] };
    const one = { path: 'impl', attempts: [{ gates: [gate] }] } as unknown as StepState;
    return { ...emptyState, steps: new Map([['impl', one]]) };
  };

  it('have an annotation at each place if their step failed', () => {
    const failed = report([step('impl', undefined, 'failed')]);
    expect(placeAnnotations(failed, stateWith('failed'))).toEqual([
      {
        kind: 'error',
        message: 'm',
        location: { file: 'a.ts', line: 3, column: 2, title: 'impl: gate test' },
      },
    ]);
    expect(placeAnnotations(failed, stateWith('passed'))).toEqual([]);
    expect(placeAnnotations(report([step('impl')]), stateWith('failed'))).toEqual([]);
  });
});

describe('the results in the summary', () => {
  it('are folded and bounded', () => {
    const many = Array.from({ length: 60 }, (_, index) => step(`s${index}`, { text: '`'.repeat(9_000) }));
    const text = resultDetails(report(many)) ?? '';
    expect(text).toContain('30 more results are in the report.');
    expect(Buffer.byteLength(text)).toBeLessThan(400_000);
    expect(resultDetails(report([step('a')]))).toBeUndefined();
  });
});

describe('a transcript', () => {
  it('quotes prompts and tool calls so that they stay what they are', () => {
    const head = { step: 's', attempt: 1, jobAttempt: 1, agent: 'codex', session: 'new' } as const;
    expect(transcriptPrompt({ ...head, prompt: '```\n# a' })).toContain('````text\n```\n# a\n````');
    expect(transcriptEvent({ type: 'tool', name: 'Bash', detail: 'echo `a`\nb' })).toBe(
      '\n- **Bash** `` echo `a` b ``\n',
    );
    expect(transcriptEvent({ type: 'text', text: ' hello ' })).toBe('\nhello\n');
    expect(transcriptEvent({ type: 'turn' })).toBeUndefined();
  });
});
