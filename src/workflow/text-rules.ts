/** Agent names and templates, wherever a step has them. */

import { type Diagnostic, fault } from './diagnostic.js';
import type { Written } from './outline.js';
import { pass } from './pass-rules.js';
import { removedNamespaces } from './resolve-name.js';
import type { StepRule } from './rule.js';
import { excerpt } from './source-line.js';
import { closest } from './suggest.js';
import { names, parseTemplate } from './template.js';
import { placeOfName, retryTexts, templatesOf } from './templates.js';

export const agents: StepRule = (step, { providers }) =>
  [step.agent, ...retryTexts(step, 'agent')].flatMap((agent) => {
    if (agent === undefined) return [];
    return providers === undefined || agent.value.trim() === pass ? [] : unknownAgent(agent, providers);
  });

function unknownAgent({ value, at }: Written<string>, providers: readonly string[]): readonly Diagnostic[] {
  if (names(parseTemplate(value)).length > 0) return [];
  const [provider = '', ...model] = value.trim().split('-');
  if (providers.includes(provider)) return [];
  const near = closest(provider, providers);
  const hint =
    near === undefined
      ? `There are: ${providers.join(', ')}.`
      : `Did you mean \`${[near, ...model].join('-')}\`?`;
  return [
    fault(
      'unknown-agent',
      at,
      `No provider \`${excerpt(provider)}\` is known for the agent \`${excerpt(value)}\`. ${hint}`,
    ),
  ];
}

export const removedNames: StepRule = (step, { text: source }) =>
  templatesOf(step).flatMap((text) => {
    const gone = names(parseTemplate(text.value))
      .filter((name) => isRemoved(name))
      .slice(0, mostTold);
    return gone.map((name) => {
      const message = `\`{${excerpt(name)}}\` stands for nothing since version 0.0.4 of the language: write \`{STEP.FIELD}\`.`;
      return fault('removed-name', placeOfName(name, text.at, source), message);
    });
  });

// Of one text: as many as are ever shown of a file.
const mostTold = 100;

function isRemoved(name: string): boolean {
  return removedNamespaces.some((namespace) => name.startsWith(`${namespace}.`));
}
