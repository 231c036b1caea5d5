/** What holds for a split, and for the keys that only a split has. */
import type { StepRule } from './check.js';
import { fault } from './diagnostic.js';
import { readGates } from './gates.js';
import { has, type StepOutline } from './outline.js';
import { entryOf } from './tree.js';

export const split: StepRule = (step) => {
  const at = step.type?.at ?? step.at;
  const faults = [];
  const isSplit = step.type?.value === 'split';
  if (isSplit && !has(step, 'each')) {
    faults.push(
      fault('missing-key', at, 'A split needs `each`: the steps that every task of its plan goes through.'),
    );
  }
  const each = entryOf(step.tree, 'each');
  if (!isSplit && each !== undefined) {
    faults.push(
      fault(
        'misplaced-key',
        each.at,
        '`each` belongs to a step of `type: split`: set the type, or remove it.',
      ),
    );
  }
  return [...faults, ...schemaGates(step)];
};

/** The gate looks at a file that only one kind of step has to write. */
function schemaGates(step: StepOutline) {
  const gates = step.gate === undefined ? [] : readGates(step.gate.value);
  const type = step.type?.value;
  return gates.flatMap((gate) => {
    if (gate.type !== 'schema' || type === (gate.contract === 'plan' ? 'split' : 'validate')) return [];
    const wanted =
      gate.contract === 'plan'
        ? '`schema` (`schema: plan`) is a gate of a split'
        : '`schema: review` is a gate of a validate step';
    return [fault('gate-argument', step.gate?.at ?? step.at, `${wanted}: remove it from this step.`)];
  });
}
