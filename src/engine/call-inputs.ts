/** Renders the inputs that a call passes to its workflow. */
import type { Failure } from '../failure.js';
import type { PlacedStep } from '../plan/placed-step.js';
import { callAt } from '../step-path.js';
import type { WorkflowCall } from '../workflow/workflow.js';
import type { EngineRun } from './engine-run.js';
import { createTemplateContext } from './template-context.js';

/** `obstacle`: a text that the inputs need cannot be read, so the call must not start. */
export type RenderedInputs =
  | { readonly inputs: Readonly<Record<string, string>> }
  | { readonly obstacle: Failure };

export async function renderInputs(
  run: EngineRun,
  placed: PlacedStep,
  number: number,
  call: WorkflowCall,
): Promise<RenderedInputs> {
  const texts = Object.values(call.inputs);
  if (texts.length === 0) return { inputs: {} };
  const caller = callerOf(placed, number);
  const templateContext = await createTemplateContext(
    run,
    caller.placed,
    caller.number,
    texts,
    caller.isReview,
  );
  if (templateContext.obstacle !== undefined) return { obstacle: templateContext.obstacle };
  const rendered = Object.entries(call.inputs).map(
    ([name, template]) => [name, templateContext.render(template)] as const,
  );
  return { inputs: Object.fromEntries(rendered) };
}

/** The step and attempt whose variables the inputs read. If an attempt makes the call, these are its own. */
function callerOf(placed: PlacedStep, number: number) {
  const call = callAt(placed.path);
  if (call === undefined) return { placed, number, isReview: false };
  return { placed: { ...placed, path: call.owner }, number: call.attempt, isReview: call.purpose === 'gate' };
}
