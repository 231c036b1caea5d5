/** Plans for engine tests, from step data with defaults. */
import { makePlan, type Plan, type PlanInputs } from '../../src/plan/plan.js';
import type {
  AgentStep,
  Call,
  CallStep,
  GateStep,
  GroupStep,
  RetryEntry,
  SplitStep,
  Step,
  Workflow,
} from '../../src/workflow/workflow.js';

export function agentStep(name: string, told: Partial<AgentStep> = {}): AgentStep {
  return {
    kind: 'agent',
    name,
    type: 'code',
    agent: 'claude-haiku',
    prompt: `do ${name}`,
    context: [],
    worktree: told.type === undefined || told.type === 'code' ? 'read-write' : 'read-only',
    session: { mode: 'new' },
    guard: {},
    gates: [],
    retry: [],
    ...told,
  };
}

export function gateStep(name: string, gates: GateStep['gates']): GateStep {
  return { kind: 'gates', name, gates };
}

export function splitStep(name: string, each: readonly Step[], told: Partial<AgentStep> = {}): SplitStep {
  const planner = agentStep(name, { type: 'split', prompt: `plan ${name}`, ...told });
  return {
    kind: 'split',
    name,
    planner,
    each,
    gates: planner.gates,
    retry: planner.retry,
    files: 'warn',
    parallel: false,
  };
}

export function parallelSplit(
  name: string,
  each: readonly Step[],
  told: Partial<AgentStep> & Pick<Partial<SplitStep>, 'maxParallel' | 'files'> = {},
): SplitStep {
  const { maxParallel, files = 'warn', ...own } = told;
  const limit = maxParallel === undefined ? {} : { maxParallel };
  return { ...splitStep(name, each, own), parallel: true, files, ...limit };
}

export function groupStep(
  name: string,
  steps: readonly Step[],
  told: Partial<Omit<GroupStep, 'kind' | 'name' | 'steps'>> = {},
): GroupStep {
  return { kind: 'group', name, steps, parallel: false, gates: [], retry: [], guard: {}, ...told };
}

export function callStep(
  name: string,
  call: Call,
  told: Partial<Omit<CallStep, 'kind' | 'name' | 'call'>> = {},
): CallStep {
  return { kind: 'call', name, call, gates: [], retry: [], guard: {}, ...told };
}

/** The workflow at that path, and what it is given. */
export function calls(
  path: string,
  steps: readonly Step[],
  inputs: Call['inputs'] = {},
  told: Partial<Workflow> = {},
): Call {
  return { path, inputs, workflow: workflowOf(steps, told) };
}

/** A gate that is a workflow. */
export function validates(name: string, call: Call) {
  return { name, type: 'validate' as const, call };
}

/** A workflow of one step that judges. */
export function review(inputs: Call['inputs'] = {}, told: Partial<AgentStep> = {}): Call {
  const step = agentStep('judge', { type: 'validate', prompt: 'judge it', ...told });
  return calls('validators/review', [step], inputs);
}

export function retryAt(attempt: number, overrides: RetryEntry['overrides']): RetryEntry {
  return { when: { attempt }, overrides };
}

export function bash(name: string) {
  return { name, type: 'bash' as const, command: 'true' };
}

export function exits(count: number) {
  return { when: { exit: count }, overrides: {} };
}

export function planOf(
  steps: readonly Step[],
  inputs: Partial<PlanInputs> = {},
  sessionMatch: 'agent' | 'provider' = 'agent',
): Plan {
  return makePlan(workflowOf(steps, { sessionMatch }), { vars: {}, ...inputs });
}

function workflowOf(steps: readonly Step[], told: Partial<Workflow>): Workflow {
  return {
    name: 'test',
    source: 'test.yaml',
    sessionMatch: 'agent',
    onPause: 'fail',
    budget: {},
    steps,
    ...told,
  };
}
