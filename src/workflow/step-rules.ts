/** Which keys of a step require or exclude each other. */

import { type Diagnostic, problem } from './diagnostic.js';
import { hasMisspelledKey } from './keys.js';
import { hasStepKey, type StepOutline } from './outline.js';
import { passAgent } from './pass-rules.js';
import type { StepRule } from './rule.js';
import { acceptsKey, type Block, blocks, keysNotOf, keysOfBlock } from './step-keys.js';
import { reservedStepNames } from './step-name.js';
import { unsupportedValue } from './unsupported.js';
import { childOf, entryOf } from './yaml-node.js';

export const blockRule: StepRule = (step) => blocks.flatMap((block) => blockProblems(step, block));

function blockProblems(step: StepOutline, block: Block): readonly Diagnostic[] {
  const inside = childOf(step.tree, block);
  if (inside?.kind !== 'map') return [];
  return keysOfBlock(block).flatMap((key) => {
    const flat = entryOf(step.tree, key);
    if (flat === undefined) return [];
    const twice = entryOf(inside, key) !== undefined;
    // The documentation of the language also writes `hitl` next to `run`.
    if (key === 'hitl' && !twice) return [];
    return twice
      ? problem(
          'block-and-flat',
          flat.at,
          `\`${key}\` is set both in \`${block}\` and outside it: remove one.`,
        )
      : problem(
          'outside-block',
          flat.at,
          `The step has a \`${block}\` block, so \`${key}\` belongs in it: move it there.`,
        );
  });
}

export const gateOnlyRule: StepRule = (step) => {
  if (step.kind !== 'gates') return [];
  const needAgent = keysNotOf('gates').filter((key) => acceptsKey('agent', key));
  const forbidden = needAgent.flatMap((key) => entryOf(step.tree, key) ?? []);
  const withAgent = forbidden.map(({ key, at }) =>
    problem(
      'gate-only-step',
      at,
      `A step that only runs gates has no \`${key}\`: remove it, or give the step \`type\` and \`agent\`.`,
    ),
  );
  if (hasStepKey(step, 'gate') ? step.gate?.value.items.length !== 0 : hasStepKey(step, 'validate'))
    return withAgent;
  const message = 'The step does nothing: add `type` and `agent`, or `gate` with at least one gate.';
  return [...withAgent, problem('missing-key', step.gate?.at ?? step.at, message)];
};

export const requiredKeysRule: StepRule = (step, { defaultAgent }) => {
  if (step.kind !== 'agent' && step.kind !== 'split') return [];
  const problems: Diagnostic[] = [];
  if (isMissing(step, 'type')) {
    const message =
      'A step with an agent needs `type`: `code` if it changes files, `validate` if it judges, `split` if it plans tasks, `artifact` if it writes a text.';
    problems.push(problem('missing-key', step.at, message));
  }
  if (defaultAgent === undefined && isMissing(step, 'agent', 'run') && !isUnsupportedType(step)) {
    const message =
      'The step needs `agent`, for example `agent: claude-haiku`. (A step that only runs gates has no `type`.)';
    problems.push(problem('missing-agent', step.type?.at ?? step.at, message));
  }
  if (
    step.type?.value === 'code' &&
    step.agent?.value.trim() !== passAgent &&
    isMissing(step, 'prompt', 'get')
  ) {
    problems.push(
      problem('missing-prompt', step.at, 'The step has no `prompt`, so its agent has no task: add one.'),
    );
  }
  return problems;
};

/** A misspelled key is not missing: it is reported as unknown. */
function isMissing(step: StepOutline, key: string, block?: Block): boolean {
  if (hasStepKey(step, key) || hasMisspelledKey(key, step.tree, 'step')) return false;
  return block === undefined || !hasMisspelledKey(key, childOf(step.tree, block), block);
}

function isUnsupportedType({ type }: StepOutline): boolean {
  return type !== undefined && unsupportedValue('type', { kind: 'scalar', ...type }) !== undefined;
}

export const reservedNameRule: StepRule = ({ name }) => {
  if (name === undefined || !reservedStepNames.includes(name.value)) return [];
  const message = `In templates \`{${name.value}.…}\` has another meaning, so the results of this step cannot be read: choose another name.`;
  return [problem('reserved-step-name', name.at, message)];
};
