/**
 * Whether a parallel branch that has not started can do nothing, because the service of its first agent refuses
 * requests. To open its worktree may take minutes (`worktree-setup`).
 */
import { innerScopes, type PlacedStep, placeStep, type StepScope } from '../plan/placed-step.js';
import { agentStepOf } from '../plan/plan.js';
import { parseTemplate, templateNames } from '../workflow/template.js';
import { agentFor } from './agent-of-step.js';
import type { EngineRun, WaitingEnd } from './engine-run.js';

/** `undefined` if it may start, or if only its first attempt shows which agent it has. */
export function waitOfNewBranch(run: EngineRun, scope: StepScope): WaitingEnd | undefined {
  const first = firstStepOf(scope);
  if (first === undefined || run.state().steps.has(first.path)) return undefined;
  const own = agentStepOf(first.step);
  if (own === undefined || own.get !== undefined) return undefined;
  if (templateNames(parseTemplate(own.agent)).length > 0) return undefined;
  const choice = agentFor(run, own, own.agent, []);
  return 'resumeAt' in choice ? { status: 'waiting', path: first.path, ...choice } : undefined;
}

/** In a sequential group, the first step below it. */
function firstStepOf(scope: StepScope): PlacedStep | undefined {
  const [planned] = scope.steps;
  if (planned === undefined) return undefined;
  const placed = placeStep(planned, scope);
  const [inner] = placed.step.kind === 'group' && !placed.step.parallel ? innerScopes(placed, []) : [];
  return inner === undefined ? placed : firstStepOf(inner);
}
