/** Rules for splits and for the gates that check their plans. */

import { problem } from './diagnostic.js';
import { readGates } from './gate-entries.js';
import { hasStepKey, type StepOutline } from './outline.js';
import type { StepRule } from './rule.js';

export const splitRule: StepRule = (step) => {
  if (step.kind !== 'split' || hasStepKey(step, 'each')) return misplacedSchemaGates(step);
  const message =
    'A split has no steps for its tasks. Add `each` with the steps that run for every task of the plan.';
  return [problem('missing-key', step.type?.at ?? step.at, message), ...misplacedSchemaGates(step)];
};

/** Each `schema` gate checks a file that only one type of step writes. */
function misplacedSchemaGates(step: StepOutline) {
  const gates = step.gate === undefined ? [] : readGates(step.gate.value);
  const type = step.type?.value;
  return gates.flatMap((gate) => {
    if (gate.type !== 'schema' || type === (gate.contract === 'plan' ? 'split' : 'validate')) return [];
    const wanted =
      gate.contract === 'plan'
        ? 'The gate `schema` (`schema: plan`) checks the plan of a split, and this step writes none'
        : 'The gate `schema: review` checks the verdict of a `validate` step, and this step writes none';
    return [problem('gate-argument', step.gate?.at ?? step.at, `${wanted}. Remove it from this step.`)];
  });
}
