/**
 * The plan of a run, made from a checked workflow and the inputs: its steps, their paths, and what each of them
 * depends on. Pure.
 */

import { UserErrors } from '../failure.js';
import type { Fingerprint } from '../journal/event.js';
import { defined } from '../optional-keys.js';
import { type CallRole, namesIn, pathOf, prefixBelow, roleInName } from '../step-path.js';
import { closest } from '../workflow/suggest.js';
import type { AgentStep, Step, Workflow, WorkflowCall } from '../workflow/workflow.js';
import { callsOf } from './calls.js';
import { type FingerprintInputs, fingerprintOf } from './fingerprint.js';
import { withAgent } from './with-agent.js';

export interface Plan {
  readonly workflow: string;
  readonly sessionMatch: Workflow['sessionMatch'];
  readonly onPause: Workflow['onPause'];
  readonly budget: Workflow['budget'];
  /** A further limit, from the input `max-budget`. */
  readonly maxUsd?: number;
  /** For steps that set no `fallback`, from the input `on-limit`. */
  readonly fallback?: string;
  readonly steps: readonly PlannedStep[];
  readonly spec?: string;
  readonly vars: Readonly<Record<string, string>>;
  /** Stop, with success, after this step. */
  readonly until?: string;
  /** Drop the result of this step and everything that came after it. */
  readonly fromStep?: string;
  /** The paused step that this job allows to continue. */
  readonly approve?: string;
}

export interface PlannedStep {
  readonly name: string;
  readonly step: Step;
  readonly fingerprint: Fingerprint;
  /** The steps below it: of `each`, of the group, or of the workflow that it calls. */
  readonly inner: readonly PlannedStep[];
  /** The workflows that its attempts call: for results, as retry conditions, as gates. */
  readonly calls: readonly PlannedCall[];
}

export interface PlannedCall {
  readonly role: CallRole;
  readonly step: PlannedStep;
}

export interface PlanInputs {
  readonly agent?: string;
  readonly spec?: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly until?: string;
  readonly fromStep?: string;
  readonly approve?: string;
  readonly maxUsd?: number;
  readonly fallback?: string;
}

/** @throws UserErrors if `from-step`, `until` or `approve` names no step of the workflow. */
export function makePlan(workflow: Workflow, inputs: PlanInputs): Plan {
  const { agent, spec, vars, until, fromStep, approve, maxUsd, fallback } = inputs;
  const given = { vars, ...defined({ spec }) };
  const steps = workflow.steps.map((step) => planStep(withAgent(step, agent), given));
  const problems = [
    ...checkStepPath('from-step', fromStep, steps),
    ...checkStepPath('until', until, steps),
    ...checkStepPath('approve', approve, steps),
  ];
  if (problems.length > 0) throw new UserErrors(problems);
  const { sessionMatch, onPause, budget } = workflow;
  return {
    workflow: workflow.name,
    sessionMatch,
    onPause,
    budget,
    ...defined({ maxUsd, fallback }),
    steps,
    ...given,
    ...defined({ until, fromStep, approve }),
  };
}

/** The part of the step that runs its own agent; of a split, the planner. */
export function agentStepOf(step: Step): AgentStep | undefined {
  if (step.kind === 'split') return step.planner;
  return step.kind === 'agent' ? step : undefined;
}

function planStep(step: Step, inputs: FingerprintInputs): PlannedStep {
  return {
    name: step.name,
    step,
    inner: planInner(step, inputs),
    calls: callsOf(step).map(({ role, call }) => ({
      role,
      step: planStep(callAsStep(role, call), inputs),
    })),
    fingerprint: fingerprintOf(step, inputs),
  };
}

function planInner(step: Step, inputs: FingerprintInputs): readonly PlannedStep[] {
  if (step.kind === 'split') return step.each.map((inner) => planStep(inner, inputs));
  if (step.kind === 'group') return step.steps.map((inner) => planStep(inner, inputs));
  if (step.kind !== 'call') return [];
  const { workflow, inputs: passedInputs } = step.call;
  return workflow.steps.map((inner) => planStep(inner, withoutPassedInputs(inputs, passedInputs)));
}

/** An input that a call passes hides the run's value of the same name: the call itself depends on that value. */
function withoutPassedInputs(
  { spec, vars }: FingerprintInputs,
  passedInputs: WorkflowCall['inputs'],
): FingerprintInputs {
  const visibleVars = Object.fromEntries(
    Object.entries(vars).filter(([name]) => !Object.hasOwn(passedInputs, name)),
  );
  return spec === undefined || Object.hasOwn(passedInputs, 'spec')
    ? { vars: visibleVars }
    : { vars: visibleVars, spec };
}

function callAsStep(role: CallRole, call: WorkflowCall): Step {
  return { kind: 'call', name: role, call, gates: [], retry: [], guard: {} };
}

/** The problem of an input that names a step; none if the step is possible. */
export function checkStepPath(
  input: string,
  path: string | undefined,
  steps: readonly PlannedStep[],
): readonly string[] {
  if (path === undefined || findStep(path, steps) !== undefined) return [];
  const shapes = pathShapes(steps, '');
  const near = closest(path, shapes);
  const hint = near === undefined ? `Its steps are: ${shapes.join(', ')}.` : `Did you mean \`${near}\`?`;
  return [`Input \`${input}\`: the workflow has no step \`${path}\`. ${hint}`];
}

/** The step with this path. The tasks and attempts are not known yet, so any task name and any attempt number is possible. */
export function findStep(path: string, steps: readonly PlannedStep[]): Step | undefined {
  return stepAt(namesIn(path), steps);
}

function stepAt([name, ...rest]: readonly string[], steps: readonly PlannedStep[]): Step | undefined {
  const step = steps.find((one) => one.name === name);
  if (step === undefined || rest.length === 0) return step?.step;
  const role = roleInName(rest[0] ?? '');
  const call = step.calls.find((one) => one.role === role);
  if (call !== undefined) return rest.length === 1 ? call.step.step : stepAt(rest.slice(1), call.step.inner);
  if (step.step.kind !== 'split') return stepAt(rest, step.inner);
  const [task, ...below] = rest;
  return task === '' ? undefined : stepAt(below, step.inner);
}

/** The paths of all steps, with `TASK` for the name of a task. */
function pathShapes(steps: readonly PlannedStep[], prefix: string): readonly string[] {
  return steps.flatMap((planned) => [
    pathOf(prefix, planned.name),
    ...pathShapes(planned.inner, innerPrefix(planned, prefix)),
  ]);
}

function innerPrefix({ name, step }: PlannedStep, prefix: string): string {
  const below = prefixBelow(pathOf(prefix, name));
  return step.kind === 'split' ? prefixBelow(pathOf(below, 'TASK')) : below;
}

/** A step with its path, in which `TASK` stands for the name of any task. */
export interface StepShape {
  readonly path: string;
  readonly step: Step;
}

/** Every step that a run of the plan may reach, including steps below others and steps of called workflows. */
export function allSteps(plan: Plan): readonly StepShape[] {
  return shapesOf(plan.steps, '');
}

function shapesOf(steps: readonly PlannedStep[], prefix: string): readonly StepShape[] {
  return steps.flatMap((planned) => {
    const path = pathOf(prefix, planned.name);
    const below = prefixBelow(path);
    const called = planned.calls.flatMap(({ role, step: one }) =>
      shapesOf(one.inner, prefixBelow(pathOf(below, role))),
    );
    return [
      { path, step: planned.step },
      ...called,
      ...shapesOf(planned.inner, innerPrefix(planned, prefix)),
    ];
  });
}

/** Every agent template that a run of the plan may use, with the step it belongs to. */
export function agentTemplates(plan: Plan): readonly { readonly step: string; readonly agent: string }[] {
  return allSteps(plan).flatMap(({ path, step }) => {
    const own = agentStepOf(step);
    if (own === undefined) return [];
    const escalations = own.retry.flatMap(({ overrides }) => overrides.agent ?? []);
    const all = [own.agent, ...escalations, ...(own.fallback === undefined ? [] : [own.fallback])];
    return all.filter((agent) => agent !== passAgent).map((agent) => ({ step: path, agent }));
  });
}

/** The agent name for "no agent": none runs, and the gates judge the files as they are. */
export const passAgent = 'pass';
