import { describe, expect, it } from 'vitest';
import type { JournalEvent, NewEvent } from '../../src/journal/event.js';
import { type Attempt, foldEvents, type StepState } from '../../src/journal/run-state.js';
import { defined } from '../../src/optional-keys.js';
import { headline } from '../../src/report/headline.js';
import { makeReport, type ReportFacts } from '../../src/report/report.js';
import { rerunNote } from '../../src/report/rerun.js';
import { makeSummary } from '../../src/report/summary.js';
import { createRedactor } from '../../src/security/redact.js';
import { agentStep, planOf, splitStep } from '../fakes/plan.js';

const day = 24 * 60 * 60 * 1000;
const plan = planOf([agentStep('tests'), agentStep('impl'), agentStep('last')]);
const snapshot = { base: 'start', commit: 'c1' };
const mark = { length: 7, sha256: 'abc' };
const fingerprint = plan.steps[0]?.fingerprint ?? { definition: '', agent: '', spec: '', vars: '' };
const session = {
  declared: 'new',
  effective: 'new',
  reason: 'declared-new',
  id: '0123456789abcdef',
} as const;

function agentEvents(
  step: string,
  number: number,
  jobAttempt: number,
  status: 'passed' | 'failed',
  costUsd?: number,
): readonly NewEvent[] {
  const ref = { step, number, jobAttempt };
  const usage = { turns: 2, inputTokens: 1000, ...defined({ costUsd }) };
  const failure =
    status === 'failed' ? { failure: { kind: 'gate', message: 'gate `t|e<s>t` failed' } as const } : {};
  const gates =
    status === 'failed'
      ? [{ name: 't|e<s>t', type: 'bash', status, output: 'line\n```\nmore', durationMs: 5 }]
      : [];
  return [
    { type: 'attempt-started', ...ref, agent: 'claude-haiku', provider: 'claude', session, prompt: 'p' },
    { type: 'agent-ended', ...ref, usage, snapshot, mark, changed: true, ignored: [], durationMs: 1500 },
    { type: 'attempt-ended', ...ref, status, gates, files: [], durationMs: 2000, ...failure },
  ];
}

const events: readonly NewEvent[] = [
  {
    type: 'job-started',
    version: 1,
    jobAttempt: 1,
    job: 'j',
    workflow: 'tdd',
    startCommit: 'C',
    startTree: 'T',
  },
  { type: 'step-started', step: 'tests', fingerprint, from: snapshot },
  ...agentEvents('tests', 1, 1, 'passed', 0.25),
  { type: 'step-ended', step: 'tests', status: 'passed', jobAttempt: 1 },
  { type: 'step-started', step: 'impl', fingerprint, from: snapshot },
  {
    type: 'attempt-started',
    step: 'impl',
    number: 1,
    jobAttempt: 1,
    agent: 'claude-haiku',
    provider: 'claude',
    session,
    prompt: 'p',
  },
  ...agentEvents('impl', 1, 2, 'failed'),
  { type: 'step-ended', step: 'impl', status: 'failed', jobAttempt: 2 },
];
const state = foldEvents(events.map((event) => ({ ...event, at: 0 }) as JournalEvent));
const facts: ReportFacts = {
  status: 'failed',
  failedStep: 'impl',
  runId: '7',
  jobAttempt: 2,
  startCommit: 'C',
  persisted: true,
  resumed: true,
  reusedSteps: new Set(['tests']),
};
const report = makeReport(plan, state, facts);

describe('the report', () => {
  it('lists an attempt that continues in a later job attempt twice, with the same number', () => {
    expect(
      report.steps[1]?.attempts.map(({ number, jobAttempt, status }) => ({ number, jobAttempt, status })),
    ).toEqual([
      { number: 1, jobAttempt: 1, status: 'cancelled' },
      { number: 1, jobAttempt: 2, status: 'failed' },
    ]);
  });

  it('omits every number that was not reported', () => {
    expect(report.steps[1]?.attempts[1]?.usage).toEqual({ turns: 2, inputTokens: 1000 });
    expect(report.steps[1]?.attempts[0]?.usage).toEqual({});
    expect(report.totals).toEqual({
      costIsIncomplete: true,
      turns: 4,
      inputTokens: 2000,
      costUsd: 0.25,
      durationMs: 3000,
    });
  });

  it('distinguishes reused, failed and not run', () => {
    expect(report.steps.map(({ path, status, takenOver }) => [path, status, takenOver])).toEqual([
      ['tests', 'passed', true],
      ['impl', 'failed', false],
      ['last', 'not-run', false],
    ]);
  });

  it('reports a split that ended at `until` among its tasks as not run, because nothing interrupted it', () => {
    const split = planOf([splitStep('build', [agentStep('impl')])], { until: 'build/a/impl' });
    const reported = [
      { type: 'step-started', step: 'build', fingerprint, from: snapshot },
      ...agentEvents('build', 1, 1, 'passed'),
    ] as const;
    const stopped = foldEvents(reported.map((event) => ({ ...event, at: 0 }) as JournalEvent));
    expect(makeReport(split, stopped, { ...facts, status: 'passed' }).steps[0]?.status).toBe('not-run');
    expect(makeReport(split, stopped, { ...facts, status: 'cancelled' }).steps[0]?.status).toBe('cancelled');
  });

  it('of a run that waits says why, and when a re-run continues', () => {
    const end = { type: 'run-ended', status: 'waiting', reason: 'limit', resumeAt: 1_000_000, jobAttempt: 2 };
    const waiting = foldEvents([...events, end].map((event) => ({ ...event, at: 0 }) as JournalEvent));
    const reported = makeReport(plan, waiting, { ...facts, status: 'waiting' });
    expect(reported).toMatchObject({
      status: 'waiting',
      waitReason: 'limit',
      resumeAt: '1970-01-01T00:16:40Z',
    });
    expect(headline(reported, waiting)).toContain(
      'waiting at <code>impl</code> · until 1970-01-01 00:17 UTC',
    );
    expect(Object.keys(report)).not.toContain('resumeAt');
  });

  it('keeps the cost of dropped steps', () => {
    const dropped = foldEvents(
      [...events, { type: 'steps-dropped', steps: ['tests', 'impl'], reason: '' } as const].map(
        (event) => ({ ...event, at: 0 }) as JournalEvent,
      ),
    );
    expect(makeReport(plan, dropped, facts).totals.costUsd).toBe(0.25);
    expect(makeReport(plan, dropped, facts).steps[0]?.attempts).toEqual([]);
  });
});

describe('the summary', () => {
  const summary = makeSummary(
    { report, state, warnings: ['a <b> warning'], rerun: 'Re-run it.' },
    (text) => text,
  );
  const rows = summary.split('\n').filter((line) => line.startsWith('|'));

  it('has a row for each step and one for the total, and as many cells in each', () => {
    const cells = rows.map((row) => row.replaceAll('\\|', '').split('|').length);
    expect(rows).toHaveLength(2 + plan.steps.length + 1);
    expect(new Set(cells).size).toBe(1);
  });

  it('lets no name become HTML or another cell', () => {
    const outsideBlocks = summary.replace(/````text[\s\S]*?\n````/g, '');
    expect(outsideBlocks).toContain('t\\|e&lt;s&gt;t');
    expect(outsideBlocks).not.toMatch(/<(?!br>|\/?(?:code|details|summary)>)/);
  });

  it('shows the output of the failed gate in a block that it cannot close', () => {
    expect(summary).toContain('````text\ngate t|e<s>t:\nline\n```\nmore\n````');
  });

  it('contains no secret, even one in which Markdown needs escapes', () => {
    const secret = 'sk-ant_a|b_c*d<e_f|g`h_i&j[k';
    const leaking: readonly NewEvent[] = [
      {
        type: 'attempt-ended',
        ...{ step: 'impl', number: 1, jobAttempt: 2, status: 'failed', files: [], durationMs: 1 },
        gates: [{ name: secret, type: 'bash', status: 'failed', output: secret, durationMs: 1 }],
        failure: { kind: 'crash', message: `the key ${secret}` },
      },
    ];
    const leaked = foldEvents([...events, ...leaking].map((event) => ({ ...event, at: 0 }) as JournalEvent));
    const reported = {
      report: makeReport(plan, leaked, facts),
      state: leaked,
      warnings: [secret],
      rerun: secret,
    };
    const text = makeSummary(reported, createRedactor([secret]));
    expect(text.replaceAll('\\', '')).not.toMatch(/sk-ant|g`h|[^*]i&(amp;)?j/);
    expect(text.match(/(?:\\?\*){3}/g)).toHaveLength(6);
  });

  it('shows what a re-run does', () => {
    expect(summary).toContain('Re-run it.');
  });
});

describe('the note about a re-run', () => {
  const base = { state, persisted: true, isInCache: true, now: 3 * day, failedStep: 'impl' };

  it('names the reused results, the session to resume, and the day on which the cache entry expires', () => {
    expect(rerunNote(base)).toBe(
      '"Re-run failed jobs" before 1970-01-11 reuses the result of 1 step and resumes the session of step `impl`.',
    );
  });

  it('knows that GitHub allows no re-run after 30 days', () => {
    expect(rerunNote({ ...base, now: 29 * day })).toContain('before 1970-01-31');
    expect(rerunNote({ ...base, isInCache: false })).toContain('before 1970-01-31');
  });

  it('mentions a session only if there is one to resume', () => {
    const impl = state.steps.get('impl') as StepState;
    const last = impl.attempts.at(-1) as Attempt;
    const noteOf = (attempts: readonly Attempt[]) =>
      rerunNote({ ...base, state: { ...state, steps: new Map([['impl', { ...impl, attempts }]]) } });
    const { id: _id, ...withoutId } = session;
    const { session: _session, mark: _mark, ...gatesOnly } = last;
    const { mark: _kept, ...notKept } = last;
    const failedBy = (kind: 'context' | 'session-lost') => ({ ...last, failure: { kind, message: '' } });
    for (const attempt of [
      gatesOnly,
      { ...notKept, session: withoutId },
      notKept,
      failedBy('context'),
      failedBy('session-lost'),
    ])
      expect(noteOf([last, attempt])).toMatch(/^"Re-run failed jobs" before \S+ runs step `impl` again\.$/);
    expect(noteOf([])).toMatch(/ before \S+ runs step `impl`\.$/);
    const { failedStep: _failedStep, ...withoutStep } = base;
    expect(rerunNote(withoutStep)).toMatch(/ reuses the result of 1 step and runs the remaining steps\.$/);
  });

  it('promises nothing if a limit of the workflow file was reached', () => {
    const failure = { kind: 'budget', message: 'used up', isSameInRerun: true } as const;
    const step = state.steps.get('impl');
    if (step === undefined) throw new Error('No step impl.');
    const steps = new Map([...state.steps, ['impl', { ...step, failure }] as const]);
    expect(rerunNote({ ...base, state: { ...state, steps } })).toBe(
      'A re-run reaches the same limit and starts no agent.',
    );
  });

  it('promises nothing if nothing was stored', () => {
    expect(rerunNote({ ...base, persisted: false })).toContain('The last state is not stored');
  });

  it('of a run that waits says from when on, and when the state is dropped before', () => {
    const waiting = (resumeAt: number) => {
      const runEnded = {
        type: 'run-ended',
        status: 'waiting',
        reason: 'limit',
        jobAttempt: 2,
        resumeAt,
      } as const;
      return rerunNote({ ...base, state: { ...state, runEnded } });
    };
    expect(waiting(day / 2)).toMatch(
      /^"Re-run failed jobs" after 1970-01-01 12:00 UTC and before 1970-01-11 reuses .*What ran is not paid again\. A re-run before that time starts no agent\.$/,
    );
    expect(waiting(12 * day)).toContain(
      'The state is dropped on 1970-01-11 unless a re-run reads it before.',
    );
  });
});
