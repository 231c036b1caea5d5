/** The input `agent`, which replaces every agent of a workflow and of the workflows that it calls. Pure. */
import { defined } from '../optional-keys.js';
import type { AgentStep, Gate, RetryEntry, Step, WorkflowCall } from '../workflow/workflow.js';

/** Retry entries keep everything except their agent. `pass` is not an agent and is not replaced. */
export function withAgent<S extends Step>(step: S, agent: string | undefined): S {
  return agent === undefined ? step : (replaceAgent(step, agent) as S);
}

function replaceAgent(step: Step, agent: string): Step {
  const gates = step.gates.map((gate) => replaceInGate(gate, agent));
  if (step.kind === 'gates') return { ...step, gates };
  const retry = step.retry.map((entry) => replaceInRetryEntry(entry, agent));
  switch (step.kind) {
    case 'agent':
      return replaceInAgentStep(step, { gates, retry }, agent);
    case 'split': {
      const planner = replaceInAgentStep(step.planner, { gates, retry }, agent);
      return { ...step, gates, retry, planner, each: step.each.map((inner) => replaceAgent(inner, agent)) };
    }
    case 'group':
      return { ...step, gates, retry, steps: step.steps.map((inner) => replaceAgent(inner, agent)) };
    case 'call':
      return { ...step, gates, retry, call: replaceInCall(step.call, agent) };
  }
}

function replaceInAgentStep(
  step: AgentStep,
  changed: Pick<AgentStep, 'gates' | 'retry'>,
  agent: string,
): AgentStep {
  const get = defined({ get: step.get && replaceInCall(step.get, agent) });
  return { ...step, ...changed, ...get, agent: step.agent === 'pass' ? step.agent : agent };
}

function replaceInCall(call: WorkflowCall, agent: string): WorkflowCall {
  const steps = call.workflow.steps.map((step) => replaceAgent(step, agent));
  return { ...call, workflow: { ...call.workflow, steps } };
}

function replaceInGate(gate: Gate, agent: string): Gate {
  return gate.type === 'validate' ? { ...gate, call: replaceInCall(gate.call, agent) } : gate;
}

function replaceInRetryEntry({ when, overrides }: RetryEntry, agent: string): RetryEntry {
  const { agent: named, ...rest } = overrides;
  return {
    when: 'validate' in when ? { validate: replaceInCall(when.validate, agent) } : when,
    overrides: named === undefined ? rest : { ...rest, agent },
  };
}
