/**
 * The account of a run: what was spent where, and how long jobs were at work on it. Pure.
 *
 * K1 Nothing is ever taken out of it, also when the results of a step are dropped (J1).
 * K2 Its clock runs only while a job is at work: the time between two jobs, and after the end, does not count.
 */
import type { Usage } from '../providers/provider.js';
import { addUsage } from '../providers/usage.js';
import type { JournalEvent, NewEvent } from './event.js';

export interface Ledger {
  readonly spends: readonly Spend[];
  /** Milliseconds of work in all jobs, up to `lastAt`. */
  readonly elapsedMs: number;
  /** When the newest event came, as `Date.now()`; absent while no job is at work. */
  readonly lastAt?: number;
  /** Where steps and attempts began that were not dropped since; of what was cut off and went on the first time. */
  readonly starts: ReadonlyMap<string, LedgerPosition>;
}

/** What one process of an agent has spent. */
export interface Spend {
  readonly step: string;
  readonly number: number;
  /** Place in the journal. */
  readonly order: number;
  readonly usage: Usage;
  readonly durationMs: number;
}

export interface LedgerPosition {
  readonly order: number;
  /** What the clock showed. */
  readonly elapsedMs: number;
}

export const emptyLedger: Ledger = { spends: [], elapsedMs: 0, starts: new Map() };

/** From the very start of a run. */
export const runStartPosition: LedgerPosition = { order: 0, elapsedMs: 0 };

/** What the clock shows; `now` as `Date.now()`. */
export function elapsedBy({ elapsedMs, lastAt }: Ledger, now: number): number {
  return elapsedMs + (lastAt === undefined ? 0 : Math.max(0, now - lastAt));
}

/** Where a step began, or one of its attempts. */
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
    // Written down before a job begins, or after it has done its part.
    case 'steps-dropped':
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

/** Milliseconds that all agents ran, in all jobs. */
export function totalAgentMs({ spends }: Ledger): number {
  return spends.reduce((total, { durationMs }) => total + durationMs, 0);
}

function addStart(ledger: Ledger, key: string, order: number): Ledger {
  if (ledger.starts.has(key)) return ledger;
  return { ...ledger, starts: new Map(ledger.starts).set(key, { order, elapsedMs: ledger.elapsedMs }) };
}

/** Whether it says what a process of an agent has spent. */
export function isSpendEvent(event: NewEvent): event is Omit<SpendEvent, 'at'> & NewEvent {
  return event.type === 'session-replaced' || event.type === 'attempt-waits' || event.type === 'agent-ended';
}

type SpendEvent = Extract<JournalEvent, { type: 'session-replaced' | 'attempt-waits' | 'agent-ended' }>;

function addSpend(ledger: Ledger, event: SpendEvent, durationMs: number, order: number): Ledger {
  const { step, number, usage } = event;
  return { ...ledger, spends: [...ledger.spends, { step, number, order, usage, durationMs }] };
}

function withoutSteps(
  starts: ReadonlyMap<string, LedgerPosition>,
  dropped: readonly string[],
): ReadonlyMap<string, LedgerPosition> {
  const steps = new Set(dropped);
  return new Map([...starts].filter(([key]) => !steps.has(key.split('\n')[0] ?? key)));
}
