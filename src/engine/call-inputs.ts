/** Renders the inputs that a call passes to its workflow. */
import type { PlacedStep } from '../plan/placed-step.js';
import { callAt } from '../step-path.js';
import type { WorkflowCall } from '../workflow/workflow.js';
import type { EngineRun } from './engine-run.js';
import { createTemplateContext } from './template-context.js';

export async function renderInputs(
  run: EngineRun,
  placed: PlacedStep,
  number: number,
  call: WorkflowCall,
): Promise<Readonly<Record<string, string>>> {
  const texts = Object.values(call.inputs);
  if (texts.length === 0) return {};
  const caller = callerOf(placed, number);
  const templateContext = await createTemplateContext(
    run,
    caller.placed,
    caller.number,
    texts,
    caller.isReview,
  );
  return Object.fromEntries(
    Object.entries(call.inputs).map(([name, template]) => [name, templateContext.render(template)]),
  );
}

/** The step and attempt whose variables the inputs read. If an attempt makes the call, these are its own. */
function callerOf(placed: PlacedStep, number: number) {
  const call = callAt(placed.path);
  if (call === undefined) return { placed, number, isReview: false };
  return { placed: { ...placed, path: call.owner }, number: call.attempt, isReview: call.purpose === 'gate' };
}
