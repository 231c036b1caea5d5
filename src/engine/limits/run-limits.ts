/**
 * The limits of a run, and what all its agents have spent and are spending against them. Parallel branches,
 * called workflows and earlier jobs all count.
 */

import type { Failure } from '../../failure.js';
import { runStartPosition, startPositionOf } from '../../journal/ledger.js';
import type { PlacedStep } from '../../plan/placed-step.js';
import type { Plan } from '../../plan/plan.js';
import type { SpendingField } from '../../workflow/limits.js';
import type { AgentStep, Guard } from '../../workflow/workflow.js';
import type { EngineRun } from '../engine-run.js';
import { computeUsage, findUsedUpLimit, type Limit, type LimitHit, type LimitUsage } from './limit.js';
import { formatAmount, limitHitFailure } from './limit-failure.js';

/** A message names at most this many steps. */
const maxNamedSteps = 3;

/** The limits of the whole run: those of its workflow, and the input `max-budget`. */
export function runLimits({ budget, maxUsd }: Pick<Plan, 'budget' | 'maxUsd'>): readonly Limit[] {
  const base = { kind: 'budget', path: '', since: runStartPosition } as const;
  const fromInput: readonly Limit[] =
    maxUsd === undefined
      ? []
      : [{ ...base, owner: 'the input `max-budget`', values: { maxUsd }, remedy: () => inputRemedy }];
  if (Object.keys(budget).length === 0) return fromInput;
  return [{ ...base, ...workflowLimit, owner: 'the workflow', values: budget }, ...fromInput];
}

const inputRemedy = `To continue, raise the limit and re-run the failed jobs. A re-run uses the same commit, so let the input read a repository variable (\`max-budget: \${{ vars.GUMP_MAX_BUDGET }}\`) and change the variable.`;
const workflowRemedyText =
  'A re-run uses the same commit, and so the same limit. Raise it in the workflow and start a new run.';
const useInputRemedyText = `To be able to raise the limit for a re-run, remove it from the workflow and set the input \`max-budget\` to a repository variable (\`\${{ vars.GUMP_MAX_BUDGET }}\`).`;

/** The input only limits dollars. */
function workflowRemedy(field: SpendingField): string {
  return field === 'maxUsd' ? `${workflowRemedyText} ${useInputRemedyText}` : workflowRemedyText;
}

const workflowLimit = { isInWorkflow: true, remedy: workflowRemedy } as const;

function noRemedy(): string {
  return '';
}

/** The run as the steps of a group or a call see it: with the limits of that group or call. */
export function withInnerLimits(run: EngineRun, { path, step }: PlacedStep): EngineRun {
  if (step.kind !== 'group' && step.kind !== 'call') return run;
  const { ledger, steps } = run.state();
  const number = steps.get(path)?.attempts.at(-1)?.number;
  const base = { path, remedy: noRemedy };
  const round = startPositionOf(ledger, path, number) ?? runStartPosition;
  const guard = createLimits(
    { ...base, kind: 'guard', owner: limitOwner(path, 'guard'), since: round },
    step.guard,
  );
  const call = startPositionOf(ledger, path) ?? runStartPosition;
  const budget = step.kind === 'call' ? step.call.workflow.budget : {};
  const called = createLimits(
    { ...base, ...workflowLimit, kind: 'budget', owner: limitOwner(path, 'workflow'), since: call },
    budget,
  );
  const isWriteForbidden = run.isWriteForbidden || step.guard.noWrite === true;
  return { ...run, limits: [...run.limits, ...called, ...guard], isWriteForbidden };
}

/** The limits of one attempt by the step's own agent. */
export function attemptLimits(
  run: EngineRun,
  { guard }: AgentStep,
  step: string,
  number: number,
): readonly Limit[] {
  const since = startPositionOf(run.state().ledger, step, number) ?? runStartPosition;
  return createLimits(
    { kind: 'guard', owner: limitOwner(step, 'guard'), path: step, attempt: number, since, remedy: noRemedy },
    guard,
  );
}

function limitOwner(path: string, what: 'guard' | 'workflow'): string {
  return what === 'guard' ? `the guard of step \`${path}\`` : `the workflow called by step \`${path}\``;
}

function createLimits(
  base: Omit<Limit, 'values'>,
  { noWrite: _noWrite, stallMs: _stallMs, ...values }: Guard,
): readonly Limit[] {
  return Object.keys(values).length === 0 ? [] : [{ ...base, values }];
}

export function currentUsage(run: EngineRun, limit: Limit): LimitUsage {
  return computeUsage(limit, run.state().ledger, run.runningAgents, run.ports.clock.now());
}

/** Why no agent may start under these limits. `undefined` if each of them leaves something to spend. */
export function usedUpFailure(run: EngineRun, limits: readonly Limit[]): Failure | undefined {
  for (const limit of limits) {
    const hit = findUsedUpLimit(limit, currentUsage(run, limit));
    if (hit !== undefined) return limitFailure(run, hit);
  }
  return undefined;
}

export function limitFailure(run: EngineRun, hit: LimitHit): Failure {
  return limitHitFailure(hit, describeSpending(run, hit));
}

/** The steps that spent most: `build` ($0.80), `tests` ($0.20). */
function describeSpending(run: EngineRun, { limit, field }: LimitHit): string {
  if (limit.attempt !== undefined || field === 'maxTimeMs') return '';
  const agents = [...run.state().ledger.spends, ...run.runningAgents];
  const steps = [...new Set(agents.map(({ step }) => step))];
  const shares = steps
    .map((step) => ({ step, spent: usageOfStep(run, limit, step)[field] }))
    .filter(({ spent }) => spent > 0)
    .sort((one, other) => other.spent - one.spent);
  const largest = shares
    .slice(0, maxNamedSteps)
    .map(({ step, spent }) => `\`${step}\` (${formatAmount(field, spent)})`);
  const more = shares.length > maxNamedSteps ? [`${shares.length - maxNamedSteps} more`] : [];
  return [...largest, ...more].join(', ');
}

function usageOfStep(run: EngineRun, limit: Limit, step: string): LimitUsage {
  const { ledger } = run.state();
  const ofStep = { ...ledger, spends: ledger.spends.filter((spend) => spend.step === step) };
  const running = [...run.runningAgents].filter((agent) => agent.step === step);
  return computeUsage(limit, ofStep, running, run.ports.clock.now());
}
