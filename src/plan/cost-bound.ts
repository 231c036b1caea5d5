/** The most that a run may cost, as far as its limits say. Pure. */
import type { RetryEntry, Step } from '../workflow/workflow.js';
import type { Plan } from './plan.js';

/** In dollars, for one job; `undefined` if nothing limits the cost. The answers in progress may exceed it. */
export function costBound({ budget, maxUsd, steps }: Plan): number | undefined {
  const limits = [budget.maxUsd, maxUsd, sumOf(steps.map(({ step }) => step))];
  const known = limits.filter((limit) => limit !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function sumOf(steps: readonly Step[]): number | undefined {
  const bounds = steps.map(boundOf);
  return bounds.includes(undefined) ? undefined : bounds.reduce<number>((sum, one) => sum + (one ?? 0), 0);
}

/** A guard counts each attempt, or each round, on its own. */
function boundOf(step: Step): number | undefined {
  // A workflow that judges the step has costs of its own, and nobody knows the number of tasks of a split.
  if (step.kind === 'split' || step.gates.some(({ type }) => type === 'validate')) return undefined;
  if (step.kind === 'gates') return 0;
  if (step.retry.some(({ when }) => 'validate' in when)) return undefined;
  const once = boundOfAttempt(step);
  return once === undefined ? undefined : once * attemptsOf(step.retry);
}

function boundOfAttempt(step: Exclude<Step, { kind: 'split' | 'gates' }>): number | undefined {
  if (step.kind === 'agent') {
    const hasNoAgent = step.agent === 'pass' && step.retry.every(({ overrides }) => !overrides.agent);
    if (step.get !== undefined) return undefined;
    return hasNoAgent ? 0 : step.guard.maxUsd;
  }
  const inner = sumOf(step.kind === 'group' ? step.steps : step.call.workflow.steps);
  const own = step.kind === 'call' ? step.call.workflow.budget.maxUsd : undefined;
  const known = [inner, own, step.guard.maxUsd].filter((limit) => limit !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function attemptsOf(retry: readonly RetryEntry[]): number {
  return Math.max(1, ...retry.map(({ when }) => ('exit' in when ? when.exit : 1)));
}
