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
  /** Names joined by `/`; unique in the plan. */
  readonly path: string;
  readonly step: Step;
  readonly fingerprint: Fingerprint;
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
  const paths = steps.map((step) => step.path);
  const faults = [
    ...unknownStep('from-step', inputs.fromStep, paths),
    ...unknownStep('until', inputs.until, paths),
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

/** The input `agent` stands in for every agent that is named, those of the retry ladder among them. */
function withAgent(step: Step, agent: string | undefined): Step {
  if (agent === undefined || step.kind !== 'agent') return step;
  const retry = step.retry.map(({ when, overrides: { agent: _agent, ...overrides } }) => ({
    when,
    overrides,
  }));
  return { ...step, agent, retry };
}

function planStep(step: Step, inputs: PlanInputs): PlannedStep {
  const used = step.kind === 'agent' ? namesIn(step) : [];
  const { agent, ...definition } = step.kind === 'agent' ? step : { ...step, agent: '' };
  const vars = Object.entries(inputs.vars).filter(([name]) => used.includes(name));
  return {
    path: step.name,
    step,
    fingerprint: {
      definition: hash(definition),
      agent: hash(agent),
      spec: hash(used.includes('spec') ? (inputs.spec ?? '') : ''),
      vars: hash(vars.sort(([a], [b]) => (a < b ? -1 : 1))),
    },
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

function unknownStep(input: string, path: string | undefined, paths: readonly string[]): readonly string[] {
  if (path === undefined || paths.includes(path)) return [];
  const near = closest(path, paths);
  const hint = near === undefined ? `Its steps are: ${paths.join(', ')}.` : `Did you mean \`${near}\`?`;
  return [`Input \`${input}\`: the workflow has no step \`${path}\`. ${hint}`];
}

/** Every agent template that a run of the plan may use, with the step it belongs to. */
export function agentTemplates(plan: Plan): readonly { readonly step: string; readonly agent: string }[] {
  return plan.steps.flatMap(({ path, step }) => {
    if (step.kind !== 'agent') return [];
    const escalations = step.retry.flatMap(({ overrides }) =>
      overrides.agent === undefined ? [] : [overrides.agent],
    );
    return [step.agent, ...escalations].map((agent) => ({ step: path, agent }));
  });
}
