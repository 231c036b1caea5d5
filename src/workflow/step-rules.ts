/** Which keys of a step go together. */

import { type Diagnostic, fault } from './diagnostic.js';
import { isMisspelt } from './keys.js';
import { laterValue } from './later.js';
import { type Block, blockKeys, has, type StepOutline } from './outline.js';
import { pass } from './pass-rules.js';
import type { StepRule } from './rule.js';
import { reservedStepNames } from './step-name.js';
import { childOf, entryOf } from './tree.js';

export const blocks: StepRule = (step) =>
  (Object.keys(blockKeys) as Block[]).flatMap((block) => blockFaults(step, block));

function blockFaults(step: StepOutline, block: Block): readonly Diagnostic[] {
  const inside = childOf(step.tree, block);
  if (inside?.kind !== 'map') return [];
  return blockKeys[block].flatMap((key) => {
    const flat = entryOf(step.tree, key);
    if (flat === undefined) return [];
    const twice = entryOf(inside, key) !== undefined;
    // The documentation of the language writes `hitl` beside `run`.
    if (key === 'hitl' && !twice) return [];
    return twice
      ? fault('block-and-flat', flat.at, `\`${key}\` stands both in \`${block}\` and beside it: remove one.`)
      : fault(
          'outside-block',
          flat.at,
          `The step has a \`${block}\` block, so \`${key}\` belongs in it: move it there.`,
        );
  });
}

export const gateOnly: StepRule = (step) => {
  if (step.kind !== 'gates') return [];
  const forbidden = ['session', 'retry', 'context', 'worktree', 'guard', 'permissions'].flatMap(
    (key) => entryOf(step.tree, key) ?? [],
  );
  const withAgent = forbidden.map(({ key, at }) =>
    fault(
      'gate-only-step',
      at,
      `A step that only runs gates has no \`${key}\`: remove it, or give the step \`type\` and \`agent\`.`,
    ),
  );
  if (has(step, 'gate') ? step.gate?.value.items.length !== 0 : has(step, 'validate')) return withAgent;
  const message = 'The step does nothing: give it `type` and `agent`, or `gate` with at least one gate.';
  return [...withAgent, fault('missing-key', step.gate?.at ?? step.at, message)];
};

export const typed: StepRule = (step, { defaultAgent }) => {
  if (step.kind !== 'agent' && step.kind !== 'split') return [];
  const faults: Diagnostic[] = [];
  if (lacks(step, 'type')) {
    const message =
      'A step with an agent needs `type`: `code` if it changes files, `validate` if it judges, `split` if it plans tasks, `artifact` if it writes a text.';
    faults.push(fault('missing-key', step.at, message));
  }
  if (defaultAgent === undefined && lacks(step, 'agent', 'run') && !isLaterType(step)) {
    const message =
      'The step needs `agent`, such as `agent: claude-haiku`. (A step that only runs gates has no `type`.)';
    faults.push(fault('missing-agent', step.type?.at ?? step.at, message));
  }
  if (step.type?.value === 'code' && step.agent?.value.trim() !== pass && lacks(step, 'prompt', 'get')) {
    faults.push(fault('missing-prompt', step.at, 'The step has no `prompt`: its agent is told nothing.'));
  }
  return faults;
};

/** A key that was misspelt is not missing: it has been told as unknown. */
function lacks(step: StepOutline, key: string, block?: Block): boolean {
  if (has(step, key) || isMisspelt(key, step.tree, 'step')) return false;
  return block === undefined || !isMisspelt(key, childOf(step.tree, block), block);
}

function isLaterType({ type }: StepOutline): boolean {
  return type !== undefined && laterValue('type', { kind: 'scalar', ...type }) !== undefined;
}

export const stepName: StepRule = ({ name }) => {
  if (name === undefined || !reservedStepNames.includes(name.value)) return [];
  const message = `In templates \`{${name.value}.…}\` means something else, so the results of this step cannot be reached: give it another name.`;
  return [fault('reserved-step-name', name.at, message)];
};
