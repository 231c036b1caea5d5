/**
 * A checked workflow and the inputs, put together: which steps there are, by which path, and what each
 * depends on. Pure.
 */
import { createHash } from 'node:crypto';
import { UserErrors } from '../failure.js';
import type { Fingerprint } from '../journal/event.js';
import { closest } from '../workflow/suggest.js';
import { names, parseTemplate } from '../workflow/template.js';
import type { AgentStep, Step, Workflow } from '../workflow/workflow.js';

export interface Plan {
  readonly workflow: string;
  readonly sessionMatch: Workflow['sessionMatch'];
  readonly steps: readonly PlannedStep[];
  readonly spec?: string;
  readonly vars: Readonly<Record<string, string>>;
  /** Stop, with success, after this step. */
  readonly until?: string;
  /** Forget this step's result and all that came after it. */
  readonly fromStep?: string;
}

export interface PlannedStep {
  readonly name: string;
  readonly step: Step;
  readonly fingerprint: Fingerprint;
  /** The steps that every task of a split goes through; empty for any other step. */
  readonly each: readonly PlannedStep[];
}

export interface PlanInputs {
  readonly agent?: string;
  readonly spec?: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly until?: string;
  readonly fromStep?: string;
}

/** @throws UserErrors when `from-step` or `until` names no step of the workflow. */
export function makePlan(workflow: Workflow, inputs: PlanInputs): Plan {
  const steps = workflow.steps.map((step) => planStep(withAgent(step, inputs.agent), inputs));
  const faults = [
    ...unknownStep('from-step', inputs.fromStep, steps),
    ...unknownStep('until', inputs.until, steps),
  ];
  if (faults.length > 0) throw new UserErrors(faults);
  return {
    workflow: workflow.name,
    sessionMatch: workflow.sessionMatch,
    steps,
    vars: inputs.vars,
    ...(inputs.spec === undefined ? {} : { spec: inputs.spec }),
    ...(inputs.until === undefined ? {} : { until: inputs.until }),
    ...(inputs.fromStep === undefined ? {} : { fromStep: inputs.fromStep }),
  };
}

/** The step's own agent: a split's is the one that writes the plan. */
export function agentOf(step: Step): AgentStep | undefined {
  if (step.kind === 'split') return step.planner;
  return step.kind === 'agent' ? step : undefined;
}

/** The input `agent` stands in for every agent that is named, those of the retry ladder among them. */
function withAgent(step: Step, agent: string | undefined): Step {
  if (agent === undefined || step.kind === 'gates' || step.kind === 'group' || step.kind === 'call')
    return step;
  const retry = step.retry.map(({ when, overrides: { agent: _agent, ...overrides } }) => ({
    when,
    overrides,
  }));
  if (step.kind === 'agent') return { ...step, agent, retry };
  const each = step.each.map((inner) => withAgent(inner, agent));
  return { ...step, retry, each, planner: { ...step.planner, agent, retry } };
}

function planStep(step: Step, inputs: PlanInputs): PlannedStep {
  const each = step.kind === 'split' ? step.each.map((inner) => planStep(inner, inputs)) : [];
  return { name: step.name, step, each, fingerprint: fingerprintOf(step, inputs) };
}

/** Of the step alone: the steps of `each` have their own. */
function fingerprintOf(step: Step, inputs: PlanInputs): Fingerprint {
  const own = agentOf(step);
  const used = own === undefined ? [] : namesIn(own);
  const { agent, ...definition } = own ?? { ...step, agent: '' };
  const vars = Object.entries(inputs.vars).filter(([name]) => used.includes(name));
  return {
    definition: hash(definition),
    agent: hash(agent),
    spec: hash(used.includes('spec') ? (inputs.spec ?? '') : ''),
    vars: hash(vars.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Every name that the step's templates speak of. */
function namesIn(step: AgentStep): readonly string[] {
  const overrides = step.retry.map((entry) => entry.overrides);
  const texts = [step.agent, step.prompt, ...overrides.flatMap(({ agent, prompt }) => [agent, prompt])];
  return texts.flatMap((text) => (text === undefined ? [] : names(parseTemplate(text))));
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

function unknownStep(
  input: string,
  path: string | undefined,
  steps: readonly PlannedStep[],
): readonly string[] {
  if (path === undefined || isPossible(path.split('/'), steps)) return [];
  const shapes = pathShapes(steps);
  const near = closest(path, shapes);
  const hint = near === undefined ? `Its steps are: ${shapes.join(', ')}.` : `Did you mean \`${near}\`?`;
  return [`Input \`${input}\`: the workflow has no step \`${path}\`. ${hint}`];
}

/** Which tasks there will be is not known yet, so any name stands for one. */
function isPossible([name, task, ...rest]: readonly string[], steps: readonly PlannedStep[]): boolean {
  const step = steps.find((one) => one.name === name);
  if (step === undefined || task === undefined) return step !== undefined;
  return task !== '' && isPossible(rest, step.each);
}

/** The paths of all steps, with `TASK` for the name of a task. */
function pathShapes(steps: readonly PlannedStep[]): readonly string[] {
  return steps.flatMap(({ name, each }) => [name, ...pathShapes(each).map((path) => `${name}/TASK/${path}`)]);
}

/** A step with its path, in which `TASK` stands for the name of any task. */
export interface StepShape {
  readonly path: string;
  readonly step: Step;
}

/** Every step of the plan, those within splits too. */
export function allSteps(plan: Plan): readonly StepShape[] {
  return shapesOf(plan.steps, '');
}

function shapesOf(steps: readonly PlannedStep[], prefix: string): readonly StepShape[] {
  return steps.flatMap(({ name, step, each }) => [
    { path: `${prefix}${name}`, step },
    ...shapesOf(each, `${prefix}${name}/TASK/`),
  ]);
}

/** Every agent template that a run of the plan may use, with the step it belongs to. */
export function agentTemplates(plan: Plan): readonly { readonly step: string; readonly agent: string }[] {
  return allSteps(plan).flatMap(({ path, step }) => {
    const own = agentOf(step);
    const escalations = own?.retry.flatMap(({ overrides }) => overrides.agent ?? []) ?? [];
    return own === undefined ? [] : [own.agent, ...escalations].map((agent) => ({ step: path, agent }));
  });
}
