/**
 * The meaning rules: what must hold between the keys of a step, and between steps. One small function per
 * rule; each tells all it finds, and none relies on another having found nothing.
 */
import { duplicateNames, sessionTargets } from './between-steps.js';
import type { Diagnostic } from './diagnostic.js';
import { gateFaults } from './gates.js';
import { keysOfKind, retryOfKind } from './kind-rules.js';
import { unknownNames } from './name-rules.js';
import { type StepOutline, withInner } from './outline.js';
import { withoutAgent } from './pass-rules.js';
import { retryFaults } from './retry.js';
import type { CheckedText, StepRule } from './rule.js';
import { conversations } from './scopes.js';
import { split } from './split-rules.js';
import { blocks, gateOnly, stepName, typed } from './step-rules.js';
import { gatesOf, ownGates } from './templates.js';
import { agents, removedNames } from './text-rules.js';
import { context, guard, worktree } from './value-rules.js';

const gates: StepRule = ({ gate }) => (gate === undefined ? [] : gateFaults(gate.value));

const retry: StepRule = (step) => {
  if (step.retry === undefined || step.kind === 'gates') return [];
  const named = gatesOf(step).map(({ name }) => name);
  return retryFaults(step.retry.value, { named, own: ownGates(step) });
};

const stepRules: readonly StepRule[] = [
  keysOfKind,
  blocks,
  gateOnly,
  typed,
  split,
  stepName,
  agents,
  withoutAgent,
  worktree,
  context,
  guard,
  gates,
  retry,
  retryOfKind,
  removedNames,
];

/** What can be said of a step without knowing those beside it. */
export function checkStep(step: StepOutline, options: CheckedText): readonly Diagnostic[] {
  return withInner(step).flatMap((one) => stepRules.flatMap((rule) => rule(one, options)));
}

/** What only shows between the steps. */
export function checkSteps(steps: readonly StepOutline[], options: CheckedText): readonly Diagnostic[] {
  const names = new Set(steps.flatMap(withInner).flatMap(({ name }) => name?.value ?? []));
  return [
    ...siblings(steps).flatMap(duplicateNames),
    ...conversations(steps).flatMap((scope) => sessionTargets(scope, names)),
    ...unknownNames(steps, options),
  ];
}

/** All lists of steps that stand side by side. */
function siblings(steps: readonly StepOutline[]): readonly (readonly StepOutline[])[] {
  const lists = steps.flatMap(({ each, steps: inner }) => [each ?? [], inner ?? []]);
  const inner = lists.filter((list) => list.length > 0);
  return [steps, ...inner.flatMap(siblings)];
}
