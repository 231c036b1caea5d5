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
const runEnded: JournalEvent = { type: 'run-ended', status: 'failed', jobAttempt: 1, at: 5000 };
const dropped: JournalEvent = { type: 'steps-dropped', steps: ['a'], reason: 'x', at: 90_000 };

describe('the clock of a run', () => {
  it('stops between jobs', () => {
    const { ledger } = foldEvents([
      job(1000),
      step(2000),
      runEnded,
      dropped,
      job(100_000, 2),
      attempt(101_000, 2),
    ]);
    expect(elapsedBy(ledger, 103_000)).toBe(4000 + 1000 + 2000);
  });

  it('does not count time after the end or after the loss of a machine', () => {
    expect(elapsedBy(foldEvents([job(1000), runEnded]).ledger, 900_000)).toBe(4000);
    const jobEnded: JournalEvent = {
      type: 'job-ended',
      jobAttempt: 1,
      job: 'build',
      status: 'failure',
      at: 70_000,
    };
    expect(elapsedBy(foldEvents([job(1000), runEnded, jobEnded]).ledger, 900_000)).toBe(4000);
    expect(elapsedBy(foldEvents([job(1000), step(2000), job(80_000, 2)]).ledger, 80_500)).toBe(1500);
  });

  it('never runs backwards', () => {
    expect(elapsedBy(foldEvents([job(1000), step(400), attempt(500)]).ledger, 450)).toBe(100);
  });
});

describe('the spending of a run', () => {
  it('is kept when a step is dropped, but the start of the step is not', () => {
    const events = [job(0), step(1), attempt(2), ended(3, 0.5), dropped];
    const { ledger } = foldEvents(events);
    expect(ledger.spends).toMatchObject([{ step: 'a', number: 1, usage: { costUsd: 0.5 }, durationMs: 10 }]);
    expect(startPositionOf(ledger, 'a')).toBeUndefined();
    expect(startPositionOf(ledger, 'a', 1)).toBeUndefined();
  });

  it('counts from the first start of a continued attempt', () => {
    const { ledger } = foldEvents([job(0), step(1), attempt(2), job(3, 2), attempt(4, 2)]);
    expect(startPositionOf(ledger, 'a', 1)?.order).toBe(2);
  });
});
