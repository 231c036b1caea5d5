/** Makes plans for engine tests, from step data with defaults. */
import { makePlan, type Plan, type PlanInputs } from '../../src/plan/plan.js';
import type {
  AgentStep,
  CallStep,
  GateStep,
  GroupStep,
  RetryEntry,
  SplitStep,
  Step,
  Workflow,
  WorkflowCall,
} from '../../src/workflow/workflow.js';

export function agentStep(name: string, overrides: Partial<AgentStep> = {}): AgentStep {
  return {
    kind: 'agent',
    name,
    type: 'code',
    agent: 'claude-haiku',
    prompt: `do ${name}`,
    context: [],
    worktree: overrides.type === undefined || overrides.type === 'code' ? 'read-write' : 'read-only',
    session: { mode: 'new' },
    guard: {},
    gates: [],
    retry: [],
    ...overrides,
  };
}

export function gateStep(name: string, gates: GateStep['gates']): GateStep {
  return { kind: 'gates', name, gates };
}

export function splitStep(
  name: string,
  each: readonly Step[],
  overrides: Partial<AgentStep> = {},
): SplitStep {
  const planner = agentStep(name, { type: 'split', prompt: `plan ${name}`, ...overrides });
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
  overrides: Partial<AgentStep> & Pick<Partial<SplitStep>, 'maxParallel' | 'files'> = {},
): SplitStep {
  const { maxParallel, files = 'warn', ...own } = overrides;
  const limit = maxParallel === undefined ? {} : { maxParallel };
  return { ...splitStep(name, each, own), parallel: true, files, ...limit };
}

export function groupStep(
  name: string,
  steps: readonly Step[],
  overrides: Partial<Omit<GroupStep, 'kind' | 'name' | 'steps'>> = {},
): GroupStep {
  return { kind: 'group', name, steps, parallel: false, gates: [], retry: [], guard: {}, ...overrides };
}

export function callStep(
  name: string,
  call: WorkflowCall,
  overrides: Partial<Omit<CallStep, 'kind' | 'name' | 'call'>> = {},
): CallStep {
  return { kind: 'call', name, call, gates: [], retry: [], guard: {}, ...overrides };
}

/** A call of the workflow at that path, with its inputs. */
export function callOf(
  path: string,
  steps: readonly Step[],
  inputs: WorkflowCall['inputs'] = {},
  overrides: Partial<Workflow> = {},
): WorkflowCall {
  return { path, inputs, workflow: workflowOf(steps, overrides) };
}

/** A gate that is a workflow. */
export function validateGate(name: string, call: WorkflowCall) {
  return { name, type: 'validate' as const, call };
}

/** A call of a workflow with one reviewing step. */
export function reviewCall(
  inputs: WorkflowCall['inputs'] = {},
  overrides: Partial<AgentStep> = {},
): WorkflowCall {
  const step = agentStep('judge', { type: 'validate', prompt: 'judge it', ...overrides });
  return callOf('validators/review', [step], inputs);
}

export function retryAtAttempt(attempt: number, overrides: RetryEntry['overrides']): RetryEntry {
  return { when: { attempt }, overrides };
}

export function bashGate(name: string) {
  return { name, type: 'bash' as const, command: 'true' };
}

export function exitAfter(count: number) {
  return { when: { exit: count }, overrides: {} };
}

export function planOf(
  steps: readonly Step[],
  inputs: Partial<PlanInputs> = {},
  sessionMatch: 'agent' | 'provider' = 'agent',
): Plan {
  return makePlan(workflowOf(steps, { sessionMatch }), { vars: {}, ...inputs });
}

function workflowOf(steps: readonly Step[], overrides: Partial<Workflow>): Workflow {
  return {
    name: 'test',
    source: 'test.yaml',
    sessionMatch: 'agent',
    onPause: 'fail',
    budget: {},
    steps,
    ...overrides,
  };
}
