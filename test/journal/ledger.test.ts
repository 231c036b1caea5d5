import { describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../src/journal/event.js';
import { elapsedBy, startPositionOf } from '../../src/journal/ledger.js';
import { foldEvents } from '../../src/journal/run-state.js';

const job = (at: number, jobAttempt = 1): JournalEvent => ({
  type: 'job-started',
  version: 2,
  jobAttempt,
  job: 'build',
  workflow: 'w',
  startCommit: 'c',
  startTree: 't',
  at,
});
const snapshot = { base: 'b', commit: 'c' };
const fingerprint = { definition: 'd', agent: 'a', spec: 's', vars: 'v' };
const step = (at: number): JournalEvent => ({
  type: 'step-started',
  step: 'a',
  fingerprint,
  from: snapshot,
  at,
});
const attempt = (at: number, jobAttempt = 1): JournalEvent => ({
  type: 'attempt-started',
  step: 'a',
  number: 1,
  jobAttempt,
  agent: 'claude',
  provider: 'claude',
  at,
});
const ended = (at: number, costUsd: number): JournalEvent => ({
  type: 'agent-ended',
  step: 'a',
  number: 1,
  jobAttempt: 1,
  usage: { costUsd },
  snapshot,
  changed: true,
  ignored: [],
  durationMs: 10,
  at,
});
const over: JournalEvent = { type: 'run-ended', status: 'failed', jobAttempt: 1, at: 5000 };
const dropped: JournalEvent = { type: 'steps-dropped', steps: ['a'], reason: 'x', at: 90_000 };

describe('the clock of a run', () => {
  it('stands still between the jobs', () => {
    const { ledger } = foldEvents([
      job(1000),
      step(2000),
      over,
      dropped,
      job(100_000, 2),
      attempt(101_000, 2),
    ]);
    expect(elapsedBy(ledger, 103_000)).toBe(4000 + 1000 + 2000);
  });

  it('does not count the time after the end, nor that after a machine was lost', () => {
    expect(elapsedBy(foldEvents([job(1000), over]).ledger, 900_000)).toBe(4000);
    const late: JournalEvent = {
      type: 'job-ended',
      jobAttempt: 1,
      job: 'build',
      status: 'failure',
      at: 70_000,
    };
    expect(elapsedBy(foldEvents([job(1000), over, late]).ledger, 900_000)).toBe(4000);
    expect(elapsedBy(foldEvents([job(1000), step(2000), job(80_000, 2)]).ledger, 80_500)).toBe(1500);
  });

  it('never runs backwards', () => {
    expect(elapsedBy(foldEvents([job(1000), step(400), attempt(500)]).ledger, 450)).toBe(100);
  });
});

describe('what was spent', () => {
  it('stays when the step is forgotten; where the step began does not', () => {
    const events = [job(0), step(1), attempt(2), ended(3, 0.5), dropped];
    const { ledger } = foldEvents(events);
    expect(ledger.spends).toMatchObject([{ step: 'a', number: 1, usage: { costUsd: 0.5 }, durationMs: 10 }]);
    expect(startPositionOf(ledger, 'a')).toBeUndefined();
    expect(startPositionOf(ledger, 'a', 1)).toBeUndefined();
  });

  it('is of the attempt from where that first began', () => {
    const { ledger } = foldEvents([job(0), step(1), attempt(2), job(3, 2), attempt(4, 2)]);
    expect(startPositionOf(ledger, 'a', 1)?.order).toBe(2);
  });
});
