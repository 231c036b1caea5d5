/** Rules for `agent: pass`: no agent runs and the gates check the existing files, so some keys have no effect. */

import { problem } from './diagnostic.js';
import type { StepOutline } from './outline.js';
import type { StepRule } from './rule.js';
import { retryTexts } from './step-templates.js';

/** The agent name that means "no agent". */
export const passAgent = 'pass';

export const passAgentRule: StepRule = (step) => {
  if (step.agent?.value.trim() !== passAgent || setsAgent(step)) return [];
  const { type, guard, permissions, hitl } = step;
  const unusedSpans = [guard, permissions, hitl].flatMap((value) => (value === undefined ? [] : [value.at]));
  const unused = unusedSpans.map((at) =>
    problem('no-effect', at, 'With `agent: pass` no agent runs, so this key has no effect. Remove it.'),
  );
  if (type === undefined || !['split', 'validate', 'artifact'].includes(type.value)) return unused;
  const message = `A step of \`type: ${type.value}\` must write a file, but with \`agent: pass\` no agent runs. Name an agent.`;
  return [problem('missing-agent', step.agent.at, message), ...unused];
};

/** Whether no attempt of the step runs an agent, as far as the file shows. */
export function neverHasAgent(step: StepOutline): boolean {
  return step.agent?.value.trim() === passAgent && !setsAgent(step);
}

function setsAgent(step: StepOutline): boolean {
  return retryTexts(step, 'agent').some(({ value }) => value.trim() !== passAgent);
}
