/** Sets the default agent in a checked workflow and in every workflow that it calls. */
import { defined } from '../optional-keys.js';
import type { AgentStep, Gate, RetryEntry, Step, Workflow, WorkflowCall } from './workflow.js';

/** Sets the agent of every step that has none. A workflow that is called more than once stays one object. */
export function withDefaultAgent(workflow: Workflow, agent: string): Workflow {
  return fillWorkflow({ agent, done: new Map() }, workflow);
}

interface DefaultAgentContext {
  readonly agent: string;
  readonly done: Map<Workflow, Workflow>;
}

function fillWorkflow(context: DefaultAgentContext, workflow: Workflow): Workflow {
  const done = context.done.get(workflow);
  if (done !== undefined) return done;
  const filled = { ...workflow, steps: workflow.steps.map((step) => fillStep(context, step)) };
  context.done.set(workflow, filled);
  return filled;
}

function fillStep(context: DefaultAgentContext, step: Step): Step {
  const inner = (steps: readonly Step[]) => steps.map((one) => fillStep(context, one));
  switch (step.kind) {
    case 'agent':
      return fillAgentStep(context, step);
    case 'gates':
      return { ...step, gates: fillGates(context, step.gates) };
    case 'call':
      return { ...step, ...fillGatesAndRetry(context, step), call: fillCall(context, step.call) };
    case 'group':
      return { ...step, ...fillGatesAndRetry(context, step), steps: inner(step.steps) };
    case 'split': {
      const planner = fillAgentStep(context, step.planner);
      return { ...step, ...fillGatesAndRetry(context, step), planner, each: inner(step.each) };
    }
  }
}

function fillAgentStep(context: DefaultAgentContext, step: AgentStep): AgentStep {
  return {
    ...step,
    ...fillGatesAndRetry(context, step),
    agent: step.agent === '' ? context.agent : step.agent,
    ...defined({ get: step.get && fillCall(context, step.get) }),
  };
}

function fillGatesAndRetry(
  context: DefaultAgentContext,
  { gates, retry }: Pick<AgentStep, 'gates' | 'retry'>,
) {
  return {
    gates: fillGates(context, gates),
    retry: retry.map(
      (entry): RetryEntry =>
        'validate' in entry.when
          ? { ...entry, when: { validate: fillCall(context, entry.when.validate) } }
          : entry,
    ),
  };
}

function fillGates(context: DefaultAgentContext, gates: readonly Gate[]): readonly Gate[] {
  return gates.map((gate) =>
    gate.type === 'validate' ? { ...gate, call: fillCall(context, gate.call) } : gate,
  );
}

function fillCall(context: DefaultAgentContext, call: WorkflowCall): WorkflowCall {
  return { ...call, workflow: fillWorkflow(context, call.workflow) };
}
