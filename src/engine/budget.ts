/**
 * The one meter of a run: what all its agents have spent and are spending, against every cap that stands around
 * them. Steps side by side, workflows that are called and earlier jobs all count in it.
 */

import type { Failure } from '../failure.js';
import { type Beginning, beginningOf, fromTheStart } from '../journal/ledger.js';
import { defined } from '../optional-keys.js';
import type { PlacedStep } from '../plan/place.js';
import type { Plan } from '../plan/plan.js';
import type { AgentStep, Budget, Guard } from '../workflow/workflow.js';
import { amount, type Cap, type Count, countFor, type Trip, tripFailure, usedUpLimit } from './guards.js';
import type { Run } from './run-context.js';

/** How many steps a message names. */
const named = 3;

/** The caps of a whole run: what its workflow says, and what the input says. */
export function capsOf({ budget, maxUsd }: Pick<Plan, 'budget' | 'maxUsd'>): readonly Cap[] {
  const around = { kind: 'budget', path: '', since: fromTheStart } as const;
  const fromInput: readonly Cap[] =
    maxUsd === undefined
      ? []
      : [{ ...around, owner: 'the input `max-budget`', limits: { maxUsd }, remedy: () => raiseInput }];
  if (Object.keys(budget).length === 0) return fromInput;
  return [{ ...around, owner: 'the workflow', limits: budget, remedy: raiseOrMove }, ...fromInput];
}

const raiseInput = `To go on, raise it and re-run the failed jobs: a re-run has the same commit, so let the input read a repository variable (\`max-budget: \${{ vars.GUMP_MAX_BUDGET }}\`) and change that.`;
const raiseWorkflow =
  'A re-run has the same commit, and so the same limit: raise it in the workflow and start a new run.';
const useInput = `For a cap that can be raised for a re-run, take it out of the workflow and use the input \`max-budget\` with a repository variable (\`\${{ vars.GUMP_MAX_BUDGET }}\`).`;

/** The input knows dollars alone. */
function raiseOrMove(limit: keyof Guard): string {
  return limit === 'maxUsd' ? `${raiseWorkflow} ${useInput}` : raiseWorkflow;
}

function nothing(): string {
  return '';
}

/** The run as what stands below a group or a call sees it, with the limits of that. */
export function within(run: Run, { path, step }: PlacedStep): Run {
  if (step.kind !== 'group' && step.kind !== 'call') return run;
  const { ledger, steps } = run.state();
  const number = steps.get(path)?.attempts.at(-1)?.number;
  const around = { path, remedy: nothing };
  const round = beginningOf(ledger, path, number) ?? fromTheStart;
  const guard = capFor({ ...around, kind: 'guard', owner: ownerOf(path, 'guard'), since: round }, step.guard);
  const call = beginningOf(ledger, path) ?? fromTheStart;
  const budget = step.kind === 'call' ? step.call.workflow.budget : {};
  const called = capFor(
    { ...around, kind: 'budget', owner: ownerOf(path, 'workflow'), since: call, remedy: raiseOrMove },
    budget,
  );
  const isBarred = run.isBarred || step.guard.noWrite === true;
  return { ...run, caps: [...run.caps, ...called, ...guard], isBarred };
}

/** The limits of one attempt of a step by its own agent. */
export function attemptCap(run: Run, { guard }: AgentStep, step: string, number: number): readonly Cap[] {
  const since = beginningOf(run.state().ledger, step, number) ?? fromTheStart;
  return capFor(
    { kind: 'guard', owner: ownerOf(step, 'guard'), path: step, attempt: number, since, remedy: nothing },
    guard,
  );
}

function ownerOf(path: string, what: 'guard' | 'workflow'): string {
  return what === 'guard' ? `the guard of \`${path}\`` : `the workflow called by \`${path}\``;
}

function capFor(
  cap: Omit<Cap, 'limits'> & { readonly since: Beginning },
  { maxTurns, maxTokens, maxUsd, maxTimeMs }: Guard & Budget,
): readonly Cap[] {
  const limits = {
    ...defined({ maxTurns, maxTokens, maxUsd, maxTimeMs }),
  };
  return Object.keys(limits).length === 0 ? [] : [{ ...cap, limits }];
}

export function countNow(run: Run, cap: Cap): Count {
  return countFor(cap, run.state().ledger, run.working, run.ports.clock.now());
}

/** Why no agent may be started under these caps; `undefined`: something is left under all of them. */
export function usedUp(run: Run, caps: readonly Cap[]): Failure | undefined {
  for (const cap of caps) {
    const trip = usedUpLimit(cap, countNow(run, cap));
    if (trip !== undefined) return failureFor(run, trip);
  }
  return undefined;
}

export function failureFor(run: Run, trip: Trip): Failure {
  return tripFailure(trip, whereSpent(run, trip));
}

/** Which steps took most of it: `build 0.8 USD, tests 0.2 USD`. */
function whereSpent(run: Run, { cap, limit }: Trip): string {
  if (cap.attempt !== undefined || limit === 'maxTimeMs') return '';
  const { ledger } = run.state();
  const everyone = [...ledger.spends, ...run.working];
  const steps = [...new Set(everyone.map(({ step }) => step))];
  const shares = steps
    .map((step) => ({ step, spent: shareOf(run, cap, limit, step) }))
    .filter(({ spent }) => spent > 0)
    .sort((one, other) => other.spent - one.spent);
  const told = shares.slice(0, named).map(({ step, spent }) => `\`${step}\` (${amount(limit, spent)})`);
  return [...told, ...(shares.length > named ? [`${shares.length - named} more`] : [])].join(', ');
}

function shareOf(run: Run, cap: Cap, limit: Trip['limit'], step: string): number {
  const { ledger } = run.state();
  const mine = { ...ledger, spends: ledger.spends.filter((spend) => spend.step === step) };
  const working = [...run.working].filter((one) => one.step === step);
  const count = countFor(cap, mine, working, run.ports.clock.now());
  return { maxTurns: count.turns, maxTokens: count.tokens, maxUsd: count.costUsd, maxTimeMs: count.ms }[
    limit
  ];
}
