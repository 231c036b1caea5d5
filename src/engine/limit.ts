/**
 * Limits, and what counts against them. Pure: what agents spend comes in as numbers, the first limit that is
 * passed comes out.
 *
 * G1 A limit of N allows N: what is done after exactly so much has kept to it, what goes on has not.
 * G2 Of what was cut off and goes on in a later job all parts count.
 */
import type { Failure } from '../failure.js';
import { elapsedBy, type Ledger, type LedgerPosition, type Spend } from '../journal/ledger.js';
import type { Usage } from '../providers/provider.js';
import { addUsage, sumKnown } from '../providers/usage.js';
import { isBelow } from '../step-path.js';
import type { Guard } from '../workflow/workflow.js';

/** Limits around what runs: of one attempt, of a group or a call, of a workflow, of the whole run. */
export interface Limit {
  /** What going beyond it is; a budget is never tried again. */
  readonly kind: 'guard' | 'budget';
  /** Whose limits they are, as messages say it. */
  readonly owner: string;
  readonly values: Omit<Guard, 'noWrite' | 'stallMs'>;
  /** Only what the agents of the steps below this path do counts; empty: all of it. */
  readonly path: string;
  /** Only what the agent of that very step does in the attempt of this number counts. */
  readonly attempt?: number;
  /** What was done before does not count. */
  readonly since: LedgerPosition;
  /** What can be done about this limit of it, in sentences; empty: nothing that need be said. */
  remedy(limit: keyof Guard): string;
}

/** An agent at work, or whose end is not written down yet. */
export interface RunningAgent {
  readonly step: string;
  readonly number: number;
  /** Of this process, so far. */
  readonly usage: Usage;
  /** An answer has begun that is not over. */
  readonly isAnswering: boolean;
  readonly startedAt: number;
}

export interface LimitUsage {
  readonly usage: Usage;
  /** Answers of the model, with those that have begun. */
  readonly turns: number;
  /** Input and output together, as far as it is told. */
  readonly tokens: number;
  readonly costUsd: number;
  readonly ms: number;
}

export function computeUsage(
  limit: Limit,
  ledger: Ledger,
  working: Iterable<RunningAgent>,
  now: number,
): LimitUsage {
  const booked = ledger.spends.filter((spend) => spend.order >= limit.since.order && isCounted(limit, spend));
  const live = [...working].filter((one) => isCounted(limit, one));
  const usage = addUsage(...booked.map((one) => one.usage), ...live.map((one) => one.usage));
  const atWork = sum(booked.map((one) => one.durationMs)) + sum(live.map(({ startedAt }) => now - startedAt));
  return {
    usage,
    turns: (usage.turns ?? 0) + live.filter((one) => one.isAnswering).length,
    tokens: sumKnown([usage.inputTokens, usage.outputTokens]) ?? 0,
    costUsd: usage.costUsd ?? 0,
    // What runs side by side takes its time once; an attempt's is that of its agent alone.
    ms: limit.attempt === undefined ? elapsedBy(ledger, now) - limit.since.elapsedMs : atWork,
  };
}

function isCounted({ path, attempt }: Limit, { step, number }: Pick<Spend, 'step' | 'number'>): boolean {
  if (attempt !== undefined) return step === path && number === attempt;
  return isBelow(step, path);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** A limit, and what was counted against it. */
export interface LimitHit {
  readonly limit: Limit;
  readonly key: keyof Limit['values'];
  readonly maximum: number;
  readonly used: number;
}

/** The first limit that is passed; without `isTimed` time does not count any more. */
export function findExceededLimit(limit: Limit, count: LimitUsage, isTimed = true): LimitHit | undefined {
  return findFirstLimit(limit, count, (spent, limit) => spent > limit, isTimed);
}

/** The first limit under which nothing is left to go on with. */
export function findUsedUpLimit(limit: Limit, count: LimitUsage): LimitHit | undefined {
  return findFirstLimit(limit, count, (spent, limit) => spent >= limit, true);
}

function findFirstLimit(
  limit: Limit,
  count: LimitUsage,
  isHit: (spent: number, key: number) => boolean,
  isTimed: boolean,
): LimitHit | undefined {
  const { maxTurns, maxTokens, maxUsd, maxTimeMs } = limit.values;
  const all = [
    ['maxTurns', maxTurns, count.turns],
    ['maxTokens', maxTokens, count.tokens],
    ['maxUsd', maxUsd, count.costUsd],
    ['maxTimeMs', isTimed ? maxTimeMs : undefined, count.ms],
  ] as const;
  for (const [key, maximum, spent] of all)
    if (maximum !== undefined && isHit(spent, maximum)) return { limit, key, maximum, used: spent };
  return undefined;
}

/** The failure, with what was spent where: steps and their dollars, tokens or turns. */
export function limitHitFailure(hit: LimitHit, where: string): Failure {
  const { limit, key, maximum, used } = hit;
  const workflowKey = workflowKeyOf(limit, key);
  const parts = [
    `${workflowKey} of ${limit.owner} is reached: the limit is ${formatAmount(key, maximum)}, and it was ${formatAmount(key, used)}.`,
    where === '' ? '' : `It went into ${where}.`,
    limit.remedy(key),
  ];
  return { kind: limit.kind, message: parts.filter((part) => part !== '').join(' ') };
}

/** The failure where the time that is left is shorter than a wait for the service that refused. */
export function waitTooLongFailure(
  { limit, key, maximum, used }: LimitHit,
  ms: number,
  refused: Failure,
): Failure {
  const parts = [
    `${workflowKeyOf(limit, key)} of ${limit.owner} leaves no time to wait for the model service: the limit is ${formatAmount(key, maximum)}, it was ${formatAmount(key, used)}, and the wait would take ${formatAmount(key, ms)}.`,
    limit.remedy(key),
    `The service said: ${refused.message}`,
  ];
  return { kind: limit.kind, message: parts.filter((part) => part !== '').join(' ') };
}

/** As the workflow writes it. */
function workflowKeyOf({ kind }: Limit, key: LimitHit['key']): string {
  if (key === 'maxTimeMs') return kind === 'budget' ? 'max_timeout' : 'max_time';
  return { maxTurns: 'max_turns', maxTokens: 'max_tokens', maxUsd: 'max_budget' }[key];
}

export function formatAmount(key: LimitHit['key'], value: number): string {
  if (key === 'maxTimeMs') return `${formatDecimal(value / 1000, 1)} s`;
  if (key === 'maxUsd') return `${formatDecimal(value, 4)} USD`;
  const unit = key === 'maxTurns' ? 'turn' : 'token';
  return `${value} ${value === 1 ? unit : `${unit}s`}`;
}

/** With so many digits behind the point, and of a smaller number so many that are not leading zeros. */
function formatDecimal(value: number, digits: number): string {
  const zeros = value > 0 ? Math.max(0, -Math.floor(Math.log10(value)) - 1) : 0;
  return value.toFixed(Math.min(digits + zeros, 20)).replace(/\.?0+$/, '');
}

/** One agent that the meter of the run knows; `check` ends it where a cap around it is passed. */

export interface MonitoredAgent extends RunningAgent {
  enforceLimits(): void;
}
