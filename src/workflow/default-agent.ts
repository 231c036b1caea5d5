/** The agent of steps that name none, put into a checked workflow and into all that it calls. */
import { defined } from '../optional-keys.js';
import type { AgentStep, Gate, RetryEntry, Step, Workflow, WorkflowCall } from './workflow.js';

/** Workflows that are called more than once stay one and the same object. */
export function withDefaultAgent(workflow: Workflow, agent: string): Workflow {
  return fillWorkflow({ agent, done: new Map() }, workflow);
}

interface DefaultAgentContext {
  readonly agent: string;
  readonly done: Map<Workflow, Workflow>;
}

function fillWorkflow(filling: DefaultAgentContext, workflow: Workflow): Workflow {
  const done = filling.done.get(workflow);
  if (done !== undefined) return done;
  const filled = { ...workflow, steps: workflow.steps.map((step) => fillStep(filling, step)) };
  filling.done.set(workflow, filled);
  return filled;
}

function fillStep(filling: DefaultAgentContext, step: Step): Step {
  const inner = (steps: readonly Step[]) => steps.map((one) => fillStep(filling, one));
  switch (step.kind) {
    case 'agent':
      return fillAgentStep(filling, step);
    case 'gates':
      return { ...step, gates: fillGates(filling, step.gates) };
    case 'call':
      return { ...step, ...fillGatesAndRetry(filling, step), call: fillCall(filling, step.call) };
    case 'group':
      return { ...step, ...fillGatesAndRetry(filling, step), steps: inner(step.steps) };
    case 'split': {
      const planner = fillAgentStep(filling, step.planner);
      return { ...step, ...fillGatesAndRetry(filling, step), planner, each: inner(step.each) };
    }
  }
}

function fillAgentStep(filling: DefaultAgentContext, step: AgentStep): AgentStep {
  return {
    ...step,
    ...fillGatesAndRetry(filling, step),
    agent: step.agent === '' ? filling.agent : step.agent,
    ...defined({ get: step.get && fillCall(filling, step.get) }),
  };
}

function fillGatesAndRetry(
  filling: DefaultAgentContext,
  { gates, retry }: Pick<AgentStep, 'gates' | 'retry'>,
) {
  return {
    gates: fillGates(filling, gates),
    retry: retry.map(
      (entry): RetryEntry =>
        'validate' in entry.when
          ? { ...entry, when: { validate: fillCall(filling, entry.when.validate) } }
          : entry,
    ),
  };
}

function fillGates(filling: DefaultAgentContext, gates: readonly Gate[]): readonly Gate[] {
  return gates.map((gate) =>
    gate.type === 'validate' ? { ...gate, call: fillCall(filling, gate.call) } : gate,
  );
}

function fillCall(filling: DefaultAgentContext, call: WorkflowCall): WorkflowCall {
  return { ...call, workflow: fillWorkflow(filling, call.workflow) };
}
