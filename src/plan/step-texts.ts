/** The templates and commands of a step, without those of the steps below it. Pure. */
import type { Gate, Step, WorkflowCall } from '../workflow/workflow.js';

/** The templates of the step's own agent, or those that a call passes. */
export function ownTexts(step: Step): readonly string[] {
  if (step.kind === 'call') return callTexts(step.call);
  if (step.kind !== 'agent') return [];
  const overrides = step.retry.flatMap(({ overrides: { agent, prompt } }) => [agent, prompt]);
  const files = step.context.flatMap((entry) => (entry.type === 'file' ? [entry.path] : []));
  return [step.agent, step.prompt, ...files, ...overrides.filter((text) => text !== undefined)];
}

export function callTexts({ inputs }: WorkflowCall): readonly string[] {
  return Object.values(inputs);
}

/** The shell commands that the workflow itself contains: in `context`, and of gates. */
export function commandsOfStep(step: Step): readonly string[] {
  if (step.kind === 'split') return [...commandsOfStep(step.planner), ...gateCommands(step.gates)];
  const context = step.kind === 'agent' ? step.context : [];
  const commands = context.flatMap((entry) => (entry.type === 'bash' ? [entry.command] : []));
  return [...commands, ...gateCommands(step.gates)];
}

function gateCommands(gates: readonly Gate[]): readonly string[] {
  return gates.flatMap((gate) => (gate.type === 'bash' ? [gate.command] : []));
}
