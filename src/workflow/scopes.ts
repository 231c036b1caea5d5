/**
 * S3: which steps can go on in each other's conversation. The steps of a sequential group stand as if they
 * stood in the place of the group; the steps of `each`, and every unit of a parallel group, are on their own.
 */
import type { StepOutline } from './outline.js';

/** The scopes below a list of steps, its own first; each in the order in which its steps run. */
export function conversations(steps: readonly StepOutline[]): readonly (readonly StepOutline[])[] {
  const own = steps.flatMap(inPlace);
  return [own, ...own.flatMap(closedOff).flatMap(conversations)];
}

/** The group itself comes behind its steps: it is over when they are. */
function inPlace(step: StepOutline): readonly StepOutline[] {
  if (step.kind !== 'group' || step.parallel) return [step];
  return [...(step.steps ?? []).flatMap(inPlace), step];
}

function closedOff(step: StepOutline): readonly (readonly StepOutline[])[] {
  if (step.kind === 'split') return step.each === undefined ? [] : [step.each];
  return step.kind === 'group' && step.parallel ? (step.steps ?? []).map((unit) => [unit]) : [];
}
