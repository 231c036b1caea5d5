/**
 * What a run has spent in which step, and how long its jobs ran. Pure.
 *
 * LEDGER1 No spending is ever removed, also not when the results of a step are dropped (JOURNAL1).
 * LEDGER2 The clock runs only while a job runs. The time between two jobs and after the end does not count.
 */
import type { Cost } from '../providers/money.js';
import type { Usage } from '../providers/provider.js';
import { addUsage, sumCosts } from '../providers/usage.js';
import type { JournalEvent, NewEvent } from './event.js';

export interface Ledger {
  readonly spends: readonly Spend[];
  /** What agents at work had spent when they were recorded. It counts if nothing else is known of the process. */
  readonly atWork: readonly Spend[];
  /** Milliseconds that all jobs ran, up to `lastAt`. */
  readonly elapsedMs: number;
  /** Time of the newest event, as `Date.now()`. Absent while no job runs. */
  readonly lastAt?: number;
  /** The first start of each step and each attempt that was not dropped later. A continued attempt keeps its first start. */
  readonly starts: ReadonlyMap<string, LedgerPosition>;
}

/** What one process of an agent has spent. */
export interface Spend {
  readonly step: string;
  readonly number: number;
  /** Index of the event in the journal. */
  readonly order: number;
  readonly usage: Usage;
  readonly durationMs: number;
}

export interface LedgerPosition {
  readonly order: number;
  /** The time on the clock of the run. */
  readonly elapsedMs: number;
}

export const emptyLedger: Ledger = { spends: [], atWork: [], elapsedMs: 0, starts: new Map() };

/** The start of a run. */
export const runStartPosition: LedgerPosition = { order: 0, elapsedMs: 0 };

/** The time on the clock of the run, in milliseconds. `now` as `Date.now()`. */
export function elapsedBy({ elapsedMs, lastAt }: Ledger, now: number): number {
  return elapsedMs + (lastAt === undefined ? 0 : Math.max(0, now - lastAt));
}

/** Where a step started, or one of its attempts. */
export function startPositionOf(
  { starts }: Ledger,
  step: string,
  number?: number,
): LedgerPosition | undefined {
  return starts.get(startKey(step, number));
}

function startKey(step: string, number: number | undefined): string {
  return number === undefined ? step : `${step}\n${number}`;
}

export function applyToLedger(ledger: Ledger, event: JournalEvent, order: number): Ledger {
  const timed = advanceClock(ledger, event);
  switch (event.type) {
    case 'steps-dropped':
      return { ...timed, starts: withoutSteps(timed.starts, event.steps) };
    case 'step-started':
      return addStart(timed, startKey(event.step, undefined), order);
    case 'attempt-started':
      return addStart(timed, startKey(event.step, event.number), order);
    // The machine was lost, or the action failed.
    case 'job-started':
      return countLost(timed, () => true);
    case 'attempt-ended':
      return countLost(timed, (spend) => isOfAttempt(spend, event));
    case 'agent-recorded':
      return { ...timed, atWork: [...withoutAttempt(timed.atWork, event), spendOf(event, order)] };
    case 'session-replaced':
      return addSpend(timed, event, 0, order);
    case 'attempt-waits':
    case 'agent-ended':
      return addSpend(timed, event, event.durationMs, order);
    default:
      return timed;
  }
}

function advanceClock(ledger: Ledger, event: JournalEvent): Ledger {
  switch (event.type) {
    case 'job-started':
      return { ...ledger, lastAt: event.at };
    // Recorded before a job starts or after it has ended.
    case 'steps-dropped':
    case 'publish-intended':
    case 'published':
    case 'job-ended':
      return ledger;
    case 'run-ended': {
      const { lastAt: _lastAt, ...rest } = ledger;
      return { ...rest, elapsedMs: elapsedBy(ledger, event.at) };
    }
    default:
      return { ...ledger, elapsedMs: elapsedBy(ledger, event.at), lastAt: event.at };
  }
}

/** What all agents spent in all jobs, also in steps whose results were dropped. */
export function totalUsage({ spends }: Ledger): Usage {
  return addUsage(...spends.map(({ usage }) => usage));
}

/** What all agents cost in all jobs, and whether a part of it is unknown. */
export function totalCost({ spends }: Ledger): Cost {
  return sumCosts(spends.map(({ usage }) => usage));
}

/** Milliseconds that all agents ran, in all jobs. */
export function totalAgentMs({ spends }: Ledger): number {
  return spends.reduce((total, { durationMs }) => total + durationMs, 0);
}

function addStart(ledger: Ledger, key: string, order: number): Ledger {
  if (ledger.starts.has(key)) return ledger;
  return { ...ledger, starts: new Map(ledger.starts).set(key, { order, elapsedMs: ledger.elapsedMs }) };
}

/** Whether the event records what a process of an agent has spent. */
export function isSpendEvent(event: NewEvent): event is Omit<SpendEvent, 'at'> & NewEvent {
  return event.type === 'session-replaced' || event.type === 'attempt-waits' || event.type === 'agent-ended';
}

type SpendEvent = Extract<JournalEvent, { type: 'session-replaced' | 'attempt-waits' | 'agent-ended' }>;

function addSpend(ledger: Ledger, event: SpendEvent, durationMs: number, order: number): Ledger {
  const spend = spendOf({ ...event, durationMs }, order);
  return {
    ...ledger,
    spends: [...ledger.spends, spend],
    atWork: withoutAttempt(ledger.atWork, event),
  };
}

function spendOf(
  { step, number, usage, durationMs }: Pick<Spend, 'step' | 'number' | 'usage' | 'durationMs'>,
  order: number,
): Spend {
  return { step, number, order, usage, durationMs };
}

type SpendOwner = Pick<Spend, 'step' | 'number'>;

function isOfAttempt(spend: Spend, { step, number }: SpendOwner): boolean {
  return spend.step === step && spend.number === number;
}

function withoutAttempt(spends: readonly Spend[], owner: SpendOwner): readonly Spend[] {
  return spends.filter((spend) => !isOfAttempt(spend, owner));
}

/** Nothing more will be known of these processes. */
function countLost(ledger: Ledger, isLost: (spend: Spend) => boolean): Ledger {
  const lost = ledger.atWork.filter(isLost);
  if (lost.length === 0) return ledger;
  const atWork = ledger.atWork.filter((spend) => !isLost(spend));
  return { ...ledger, spends: [...ledger.spends, ...lost], atWork };
}

function withoutSteps(
  starts: ReadonlyMap<string, LedgerPosition>,
  dropped: readonly string[],
): ReadonlyMap<string, LedgerPosition> {
  const steps = new Set(dropped);
  return new Map([...starts].filter(([key]) => !steps.has(key.split('\n')[0] ?? key)));
}
