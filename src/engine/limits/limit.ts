/**
 * Limits, and what agents spend against them. Pure: amounts go in, the first limit that they reach comes out.
 *
 * LIMIT1 A limit of N allows N: an agent fails with N + 1, and an agent that would start after N does not start.
 * LIMIT2 If an attempt is interrupted and continues in a later job, all parts count.
 */

import { elapsedBy, type Ledger, type LedgerPosition, type Spend } from '../../journal/ledger.js';
import type { Usage } from '../../providers/provider.js';
import { addUsage, sumKnown } from '../../providers/usage.js';
import { isBelow } from '../../step-path.js';
import { type SpendingField, spendingLimits } from '../../workflow/limits.js';

/** Limits of one owner: an attempt, a group or call, a workflow, or the whole run. */
export interface Limit {
  /** The kind of the failure if a limit is reached. A step is never retried after `budget`. */
  readonly kind: 'guard' | 'budget';
  /** The owner as messages name it. */
  readonly owner: string;
  readonly values: { readonly [Field in SpendingField]?: number };
  /** Only agents of steps below this path count. Empty: all agents count. */
  readonly path: string;
  /** Only the agent of the step `path` in the attempt of this number counts. */
  readonly attempt?: number;
  /** Earlier spending does not count. */
  readonly since: LedgerPosition;
  /** A budget of a workflow file, which is the same in a re-run. */
  readonly isInWorkflow?: true;
  /** Sentences that explain how to raise the limit. Empty: no explanation is needed. */
  remedy(field: SpendingField): string;
}

/** An agent that is running, or whose end is not yet in the journal. */
export interface RunningAgent {
  readonly step: string;
  readonly number: number;
  /** What this process has spent so far. */
  readonly usage: Usage;
  /** The model has begun an answer that is not complete. */
  readonly isAnswering: boolean;
  readonly startedAt: number;
}

/** A running agent that a limit can stop. */
export interface MonitoredAgent extends RunningAgent {
  /** Stops the agent if a limit around it is exceeded. */
  enforceLimits(): void;
}

/** What was spent, in the unit of each limit. Turns include answers that have begun. Unreported tokens count as 0. */
export type LimitUsage = Readonly<Record<SpendingField, number>>;

export function computeUsage(
  limit: Limit,
  ledger: Ledger,
  running: Iterable<RunningAgent>,
  now: number,
): LimitUsage {
  const recorded = ledger.spends.filter(
    (spend) => spend.order >= limit.since.order && isCounted(limit, spend),
  );
  const live = [...running].filter((agent) => isCounted(limit, agent));
  const usage = addUsage(...recorded.map((spend) => spend.usage), ...live.map((agent) => agent.usage));
  const agentMs =
    sum(recorded.map(({ durationMs }) => durationMs)) + sum(live.map(({ startedAt }) => now - startedAt));
  return {
    maxTurns: (usage.turns ?? 0) + live.filter(({ isAnswering }) => isAnswering).length,
    maxTokens: sumKnown([usage.inputTokens, usage.outputTokens]) ?? 0,
    maxUsd: usage.costUsd ?? 0,
    // The time of parallel branches counts once. The time of an attempt is that of its agent alone.
    maxTimeMs: limit.attempt === undefined ? elapsedBy(ledger, now) - limit.since.elapsedMs : agentMs,
  };
}

function isCounted({ path, attempt }: Limit, { step, number }: Pick<Spend, 'step' | 'number'>): boolean {
  if (attempt !== undefined) return step === path && number === attempt;
  return isBelow(step, path);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** A limit that was reached, and what was spent. */
export interface LimitHit {
  readonly limit: Limit;
  readonly field: SpendingField;
  readonly maximum: number;
  readonly used: number;
}

/** The first limit that is exceeded. `isTimed: false` ignores the limits on time. */
export function findExceededLimit(limit: Limit, usage: LimitUsage, isTimed = true): LimitHit | undefined {
  return findFirstLimit(
    limit,
    usage,
    (field, used, maximum) => used > maximum && (isTimed || field !== 'maxTimeMs'),
  );
}

/** The first limit that leaves nothing for another agent. */
export function findUsedUpLimit(limit: Limit, usage: LimitUsage): LimitHit | undefined {
  return findFirstLimit(limit, usage, (_field, used, maximum) => used >= maximum);
}

function findFirstLimit(
  limit: Limit,
  usage: LimitUsage,
  isHit: (field: SpendingField, used: number, maximum: number) => boolean,
): LimitHit | undefined {
  for (const { field } of spendingLimits) {
    const maximum = limit.values[field];
    const used = usage[field];
    if (maximum !== undefined && isHit(field, used, maximum)) return { limit, field, maximum, used };
  }
  return undefined;
}
