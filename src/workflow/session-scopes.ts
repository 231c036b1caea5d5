/**
 * S3: which steps can resume each other's sessions. The steps of a sequential group belong to the scope of the
 * group. The steps of `each`, and every branch of a parallel group, have scopes of their own.
 */
import type { StepOutline } from './outline.js';

/** The scopes of a list of steps, its own first; each lists its steps in the order in which they run. */
export function sessionScopes(steps: readonly StepOutline[]): readonly (readonly StepOutline[])[] {
  const own = steps.flatMap(flattenSequential);
  return [own, ...own.flatMap(separateScopes).flatMap(sessionScopes)];
}

/** The group itself follows its steps, because it ends after them. */
function flattenSequential(step: StepOutline): readonly StepOutline[] {
  if (step.kind !== 'group' || step.parallel) return [step];
  return [...(step.steps ?? []).flatMap(flattenSequential), step];
}

function separateScopes(step: StepOutline): readonly (readonly StepOutline[])[] {
  if (step.kind === 'split') return step.each === undefined ? [] : [step.each];
  return step.kind === 'group' && step.parallel ? (step.steps ?? []).map((branch) => [branch]) : [];
}
