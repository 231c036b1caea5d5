/** The input `agent`, which stands in for every agent that is named, in called workflows too. Pure. */
import { defined } from '../optional-keys.js';
import type { AgentStep, Call, Gate, RetryEntry, Step } from '../workflow/workflow.js';

/** The ladder keeps its attempts and prompts, and stays with the one agent. `pass` is no agent, and stays. */
export function withAgent<S extends Step>(step: S, agent: string | undefined): S {
  return agent === undefined ? step : (replaced(step, agent) as S);
}

function replaced(step: Step, agent: string): Step {
  const gates = step.gates.map((gate) => inGate(gate, agent));
  if (step.kind === 'gates') return { ...step, gates };
  const retry = step.retry.map((entry) => inEntry(entry, agent));
  switch (step.kind) {
    case 'agent':
      return inAgentStep(step, { gates, retry }, agent);
    case 'split': {
      const planner = inAgentStep(step.planner, { gates, retry }, agent);
      return { ...step, gates, retry, planner, each: step.each.map((inner) => replaced(inner, agent)) };
    }
    case 'group':
      return { ...step, gates, retry, steps: step.steps.map((inner) => replaced(inner, agent)) };
    case 'call':
      return { ...step, gates, retry, call: inCall(step.call, agent) };
  }
}

function inAgentStep(step: AgentStep, changed: Pick<AgentStep, 'gates' | 'retry'>, agent: string): AgentStep {
  const get = defined({ get: step.get && inCall(step.get, agent) });
  return { ...step, ...changed, ...get, agent: step.agent === 'pass' ? step.agent : agent };
}

function inCall(call: Call, agent: string): Call {
  const steps = call.workflow.steps.map((step) => replaced(step, agent));
  return { ...call, workflow: { ...call.workflow, steps } };
}

function inGate(gate: Gate, agent: string): Gate {
  return gate.type === 'validate' ? { ...gate, call: inCall(gate.call, agent) } : gate;
}

function inEntry({ when, overrides }: RetryEntry, agent: string): RetryEntry {
  const { agent: named, ...rest } = overrides;
  return {
    when: 'validate' in when ? { validate: inCall(when.validate, agent) } : when,
    overrides: named === undefined ? rest : { ...rest, agent },
  };
}
