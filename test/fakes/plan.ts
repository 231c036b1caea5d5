/** Plans for engine tests, from step data with defaults. */
import { makePlan, type Plan, type PlanInputs } from '../../src/plan/plan.js';
import type { AgentStep, GateStep, SplitStep, Step } from '../../src/workflow/workflow.js';

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
  return makePlan(
    { name: 'test', source: 'test.yaml', sessionMatch, onPause: 'fail', budget: {}, steps },
    { vars: {}, ...inputs },
  );
}
