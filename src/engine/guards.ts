/**
 * Limits, and what counts against them. Pure: what agents spend comes in as numbers, the first limit that is
 * passed comes out.
 *
 * G1 A limit of N allows N: what is done after exactly so much has kept to it, what goes on has not.
 * G2 Of what was cut off and goes on in a later job all parts count.
 */
import type { Failure } from '../failure.js';
import { type Beginning, elapsedBy, type Ledger, type Spend } from '../journal/ledger.js';
import type { Usage } from '../providers/provider.js';
import { addUsage, sumOf } from '../providers/usage.js';
import type { Guard } from '../workflow/workflow.js';

/** Limits around what runs: of one attempt, of a group or a call, of a workflow, of the whole run. */
export interface Cap {
  /** What going beyond it is; a budget is never tried again. */
  readonly kind: 'guard' | 'budget';
  /** Whose limits they are, as messages say it. */
  readonly owner: string;
  readonly limits: Omit<Guard, 'noWrite' | 'stallMs'>;
  /** Only what the agents of the steps below this path do counts; empty: all of it. */
  readonly path: string;
  /** Only what the agent of that very step does in the attempt of this number counts. */
  readonly attempt?: number;
  /** What was done before does not count. */
  readonly since: Beginning;
  /** What can be done about this limit of it, in sentences; empty: nothing that need be said. */
  remedy(limit: keyof Guard): string;
}

/** An agent at work, or whose end is not written down yet. */
export interface Working {
  readonly step: string;
  readonly number: number;
  /** Of this process, so far. */
  readonly usage: Usage;
  /** An answer has begun that is not over. */
  readonly isAnswering: boolean;
  readonly startedAt: number;
}

export interface Count {
  readonly usage: Usage;
  /** Answers of the model, with those that have begun. */
  readonly turns: number;
  /** Input and output together, as far as it is told. */
  readonly tokens: number;
  readonly costUsd: number;
  readonly ms: number;
}

export function countFor(cap: Cap, ledger: Ledger, working: Iterable<Working>, now: number): Count {
  const booked = ledger.spends.filter((spend) => spend.order >= cap.since.order && isUnder(cap, spend));
  const live = [...working].filter((one) => isUnder(cap, one));
  const usage = addUsage(...booked.map((one) => one.usage), ...live.map((one) => one.usage));
  const atWork = sum(booked.map((one) => one.durationMs)) + sum(live.map(({ startedAt }) => now - startedAt));
  return {
    usage,
    turns: (usage.turns ?? 0) + live.filter((one) => one.isAnswering).length,
    tokens: sumOf([usage.inputTokens, usage.outputTokens]) ?? 0,
    costUsd: usage.costUsd ?? 0,
    // What runs side by side takes its time once; an attempt's is that of its agent alone.
    ms: cap.attempt === undefined ? elapsedBy(ledger, now) - cap.since.elapsedMs : atWork,
  };
}

function isUnder({ path, attempt }: Cap, { step, number }: Pick<Spend, 'step' | 'number'>): boolean {
  if (attempt !== undefined) return step === path && number === attempt;
  return path === '' || step.startsWith(`${path}/`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** A limit, and what was counted against it. */
export interface Trip {
  readonly cap: Cap;
  readonly limit: keyof Cap['limits'];
  readonly value: number;
  readonly count: number;
}

/** The first limit that is passed; without `isTimed` time does not count any more. */
export function passedLimit(cap: Cap, count: Count, isTimed = true): Trip | undefined {
  return firstLimit(cap, count, (spent, limit) => spent > limit, isTimed);
}

/** The first limit under which nothing is left to go on with. */
export function usedUpLimit(cap: Cap, count: Count): Trip | undefined {
  return firstLimit(cap, count, (spent, limit) => spent >= limit, true);
}

function firstLimit(
  cap: Cap,
  count: Count,
  isTripped: (spent: number, limit: number) => boolean,
  isTimed: boolean,
): Trip | undefined {
  const { maxTurns, maxTokens, maxUsd, maxTimeMs } = cap.limits;
  const all = [
    ['maxTurns', maxTurns, count.turns],
    ['maxTokens', maxTokens, count.tokens],
    ['maxUsd', maxUsd, count.costUsd],
    ['maxTimeMs', isTimed ? maxTimeMs : undefined, count.ms],
  ] as const;
  for (const [limit, value, spent] of all)
    if (value !== undefined && isTripped(spent, value)) return { cap, limit, value, count: spent };
  return undefined;
}

/** The failure, with what was spent where: steps and their dollars, tokens or turns. */
export function tripFailure(trip: Trip, where: string): Failure {
  const { cap, limit, value, count } = trip;
  const key = keyOf(cap, limit);
  const parts = [
    `${key} of ${cap.owner} is reached: the limit is ${amount(limit, value)}, and it was ${amount(limit, count)}.`,
    where === '' ? '' : `It went into ${where}.`,
    cap.remedy(limit),
  ];
  return { kind: cap.kind, message: parts.filter((part) => part !== '').join(' ') };
}

/** The failure where the time that is left is shorter than a wait for the service that refused. */
export function waitFailure({ cap, limit, value, count }: Trip, ms: number, refused: Failure): Failure {
  const parts = [
    `${keyOf(cap, limit)} of ${cap.owner} leaves no time to wait for the model service: the limit is ${amount(limit, value)}, it was ${amount(limit, count)}, and the wait would take ${amount(limit, ms)}.`,
    cap.remedy(limit),
    `The service said: ${refused.message}`,
  ];
  return { kind: cap.kind, message: parts.filter((part) => part !== '').join(' ') };
}

/** As the workflow writes it. */
function keyOf({ kind }: Cap, limit: Trip['limit']): string {
  if (limit === 'maxTimeMs') return kind === 'budget' ? 'max_timeout' : 'max_time';
  return { maxTurns: 'max_turns', maxTokens: 'max_tokens', maxUsd: 'max_budget' }[limit];
}

export function amount(limit: Trip['limit'], value: number): string {
  if (limit === 'maxTimeMs') return `${decimal(value / 1000, 1)} s`;
  if (limit === 'maxUsd') return `${decimal(value, 4)} USD`;
  const unit = limit === 'maxTurns' ? 'turn' : 'token';
  return `${value} ${value === 1 ? unit : `${unit}s`}`;
}

/** With so many digits behind the point, and of a smaller number so many that are not leading zeros. */
function decimal(value: number, digits: number): string {
  const zeros = value > 0 ? Math.max(0, -Math.floor(Math.log10(value)) - 1) : 0;
  return value.toFixed(Math.min(digits + zeros, 20)).replace(/\.?0+$/, '');
}

/** One agent that the meter of the run knows; `check` ends it where a cap around it is passed. */

export interface Watched extends Working {
  check(): void;
}
