/** Whether a workflow reads the text of the input `spec`. Pure. */
import { parseTemplate, templateNames } from './template.js';
import type { AgentStep, Gate, RetryEntry, Step, Workflow, WorkflowCall } from './workflow.js';

/** Also in the workflows that it calls, unless the call passes a `spec` of its own. */
export function usesSpec({ steps }: Pick<Workflow, 'steps'>): boolean {
  return steps.some(stepUsesSpec);
}

function stepUsesSpec(step: Step): boolean {
  switch (step.kind) {
    case 'agent':
      return agentUsesSpec(step);
    case 'split':
      return agentUsesSpec(step.planner) || judgesUseSpec(step) || usesSpec({ steps: step.each });
    case 'group':
      return judgesUseSpec(step) || usesSpec(step);
    case 'call':
      return judgesUseSpec(step) || callUsesSpec(step.call);
    case 'gates':
      return judgesUseSpec({ gates: step.gates, retry: [] });
  }
}

function agentUsesSpec(step: AgentStep): boolean {
  const files = step.context.map((entry) => (entry.type === 'file' ? entry.path : ''));
  const overrides = step.retry.flatMap(({ overrides: { agent = '', prompt = '' } }) => [agent, prompt]);
  const isInTexts = [step.agent, step.prompt, ...files, ...overrides].some(textUsesSpec);
  return isInTexts || judgesUseSpec(step) || (step.get !== undefined && callUsesSpec(step.get));
}

function judgesUseSpec({
  gates,
  retry,
}: {
  readonly gates: readonly Gate[];
  readonly retry: readonly RetryEntry[];
}): boolean {
  return (
    gates.some((gate) => gate.type === 'validate' && callUsesSpec(gate.call)) ||
    retry.some(({ when }) => 'validate' in when && callUsesSpec(when.validate))
  );
}

function callUsesSpec({ inputs, workflow }: WorkflowCall): boolean {
  if (Object.values(inputs).some(textUsesSpec)) return true;
  return !Object.hasOwn(inputs, 'spec') && usesSpec(workflow);
}

function textUsesSpec(text: string): boolean {
  return templateNames(parseTemplate(text)).includes('spec');
}
