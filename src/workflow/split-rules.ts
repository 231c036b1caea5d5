/** What holds for a split, and for the keys that only a split has. */

import { problem } from './diagnostic.js';
import { readGates } from './gate-entries.js';
import { hasStepKey, type StepOutline } from './outline.js';
import type { StepRule } from './rule.js';

export const splitRule: StepRule = (step) => {
  if (step.kind !== 'split' || hasStepKey(step, 'each')) return misplacedSchemaGates(step);
  const message = 'A split needs `each`: the steps that every task of its plan goes through.';
  return [problem('missing-key', step.type?.at ?? step.at, message), ...misplacedSchemaGates(step)];
};

/** The gate looks at a file that only one kind of step has to write. */
function misplacedSchemaGates(step: StepOutline) {
  const gates = step.gate === undefined ? [] : readGates(step.gate.value);
  const type = step.type?.value;
  return gates.flatMap((gate) => {
    if (gate.type !== 'schema' || type === (gate.contract === 'plan' ? 'split' : 'validate')) return [];
    const wanted =
      gate.contract === 'plan'
        ? '`schema` (`schema: plan`) is a gate of a split'
        : '`schema: review` is a gate of a validate step';
    return [problem('gate-argument', step.gate?.at ?? step.at, `${wanted}: remove it from this step.`)];
  });
}
