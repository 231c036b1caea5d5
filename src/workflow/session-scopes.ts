/**
 * S3: which steps can go on in each other's conversation. The steps of a sequential group stand as if they
 * stood in the place of the group; the steps of `each`, and every unit of a parallel group, are on their own.
 */
import type { StepOutline } from './outline.js';

/** The scopes below a list of steps, its own first; each in the order in which its steps run. */
export function sessionScopes(steps: readonly StepOutline[]): readonly (readonly StepOutline[])[] {
  const own = steps.flatMap(flattenSequential);
  return [own, ...own.flatMap(separateScopes).flatMap(sessionScopes)];
}

/** The group itself comes behind its steps: it is over when they are. */
function flattenSequential(step: StepOutline): readonly StepOutline[] {
  if (step.kind !== 'group' || step.parallel) return [step];
  return [...(step.steps ?? []).flatMap(flattenSequential), step];
}

function separateScopes(step: StepOutline): readonly (readonly StepOutline[])[] {
  if (step.kind === 'split') return step.each === undefined ? [] : [step.each];
  return step.kind === 'group' && step.parallel ? (step.steps ?? []).map((branch) => [branch]) : [];
}
