/** Rules for `fallback`: the agent that replaces that of a step while its service refuses requests. */
import { problem } from './diagnostic.js';
import { neverHasAgent, passAgent } from './pass-rules.js';
import type { StepRule } from './rule.js';
import { parseTemplate, templateNames } from './template.js';

export const fallbackRule: StepRule = (step, { defaultAgent }) => {
  const { fallback, kind } = step;
  if (fallback === undefined || (kind !== 'agent' && kind !== 'split')) return [];
  const { at } = fallback;
  if (neverHasAgent(step)) {
    const message = 'With `agent: pass` no agent runs, so nothing can replace it. Remove `fallback`.';
    return [problem('misplaced-key', at, message)];
  }
  const name = fallback.value.trim();
  if (name === passAgent || templateNames(parseTemplate(name)).length > 0) {
    const message =
      '`fallback` must be the name of an agent, for example `codex`. A template or `pass` is not allowed.';
    return [problem('bad-value', at, message)];
  }
  if (name !== (step.agent?.value.trim() ?? defaultAgent)) return [];
  return [
    problem(
      'bad-value',
      at,
      '`fallback` names the agent of the step itself. Name another agent, or remove it.',
    ),
  ];
};
