/**
 * Whether a re-run of a run that waits for the model service comes too early to do anything. Pure. If it is not certain,
 * the run starts: then no agent starts whose service still refuses requests (PROVIDER1).
 */
import type { RunState } from '../../journal/run-state.js';
import { expandPlan } from '../../plan/placed-step.js';
import { agentStepOf, type Plan } from '../../plan/plan.js';
import { decideReuse, type ReuseFacts } from '../../plan/reuse.js';
import { isTooLong } from './provider-limits.js';

export function stillWaits(facts: Omit<ReuseFacts, 'startDifferences'>, now: number): boolean {
  const { status, reason, resumeAt } = facts.state.runEnded ?? {};
  if (status !== 'waiting' || reason !== 'limit' || resumeAt === undefined || !isTooLong(resumeAt, now))
    return false;
  if (hasOtherWork(facts.plan, facts.state)) return false;
  // Other results may be dropped, and other agents may then have work to do.
  if (decideReuse({ ...facts, startDifferences: new Map() }).dropped.length > 0) return false;
  return waitingSteps(facts.state).every((path) => waitsAsBefore(facts.plan, facts.state, path, now));
}

/** This job approves a step of another parallel branch, or it ends before the step that waits. */
function hasOtherWork({ approve, until }: Plan, { steps }: RunState): boolean {
  const isApproved = approve !== undefined && steps.get(approve)?.status === 'paused';
  return isApproved || (until !== undefined && steps.get(until)?.status === 'passed');
}

function waitingSteps(state: RunState): readonly string[] {
  return [...state.steps.values()].flatMap(({ path, resumeAt }) => (resumeAt === undefined ? [] : [path]));
}

/** Its agent is the same, and nothing replaces it. */
function waitsAsBefore(plan: Plan, state: RunState, path: string, now: number): boolean {
  const placed = expandPlan(plan, state).find((one) => one.path === path);
  const known = state.steps.get(path);
  if (placed === undefined || JSON.stringify(placed.fingerprint) !== JSON.stringify(known?.fingerprint))
    return false;
  const own = agentStepOf(placed.step);
  const fallback = own?.fallback ?? plan.fallback;
  return fallback === undefined || fallback === own?.agent || isRefused(state, fallback, now);
}

function isRefused(state: RunState, agent: string, now: number): boolean {
  const attempts = [...state.steps.values()].flatMap((step) => step.attempts);
  return attempts.some((one) => one.agent === agent && isTooLong(one.failure?.resumeAt ?? now, now));
}
