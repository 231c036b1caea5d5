/** `agent: pass`: no agent runs, the gates judge what is there. What that leaves without meaning. */

import { problem } from './diagnostic.js';
import type { StepOutline } from './outline.js';
import type { StepRule } from './rule.js';
import { retryTexts } from './step-templates.js';

/** The name that stands for no agent. */
export const passAgent = 'pass';

export const passAgentRule: StepRule = (step) => {
  if (step.agent?.value.trim() !== passAgent || setsAgent(step)) return [];
  const { type, guard, permissions, hitl } = step;
  const unusedSpans = [guard, permissions, hitl].flatMap((written) =>
    written === undefined ? [] : [written.at],
  );
  const unused = unusedSpans.map((at) =>
    problem('no-effect', at, 'With `agent: pass` no agent runs, so this has no effect: remove it.'),
  );
  if (type === undefined || !['split', 'validate', 'artifact'].includes(type.value)) return unused;
  const message = `A step of \`type: ${type.value}\` has to write a file, which nobody does with \`agent: pass\`: name an agent.`;
  return [problem('missing-agent', step.agent.at, message), ...unused];
};

/** Whether no attempt of the step has an agent, as far as can be known. */
export function neverHasAgent(step: StepOutline): boolean {
  return step.agent?.value.trim() === passAgent && !setsAgent(step);
}

function setsAgent(step: StepOutline): boolean {
  return retryTexts(step, 'agent').some(({ value }) => value.trim() !== passAgent);
}
