/** Agent names and templates, wherever a step has them. */
import type { StepRule } from './check.js';
import { type Diagnostic, fault } from './diagnostic.js';
import { laterValue } from './later.js';
import type { StepOutline, Written } from './outline.js';
import { removedNamespaces } from './resolve-name.js';
import { excerpt } from './source-line.js';
import { closest } from './suggest.js';
import { names, parseTemplate } from './template.js';
import { childOf, type MapTree } from './tree.js';

export const agents: StepRule = (step, { providers }) =>
  [step.agent, ...retryTexts(step, 'agent')].flatMap((agent) => {
    if (agent === undefined || agent.value.trim() === '') return [];
    const later = laterValue('agent', { kind: 'scalar', ...agent });
    if (later !== undefined) return [fault('not-supported-yet', agent.at, later)];
    return providers === undefined ? [] : unknownAgent(agent, providers);
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

export const removedNames: StepRule = (step) =>
  [step.prompt, step.agent, ...retryTexts(step, 'prompt'), ...retryTexts(step, 'agent')].flatMap((text) => {
    if (text === undefined) return [];
    const gone = names(parseTemplate(text.value)).filter((name) => isRemoved(name));
    return gone.map((name) => {
      const message = `\`{${excerpt(name)}}\` stands for nothing since version 0.0.4 of the language: write \`{STEP.FIELD}\`.`;
      return fault('removed-name', text.at, message);
    });
  });

function isRemoved(name: string): boolean {
  return removedNamespaces.some((namespace) => name.startsWith(`${namespace}.`));
}

function retryTexts(step: StepOutline, key: string): readonly Written<string>[] {
  const entries = step.retry?.value.items.filter((item): item is MapTree => item.kind === 'map') ?? [];
  return entries.flatMap((entry) => {
    const tree = childOf(entry, key);
    return tree?.kind === 'scalar' && typeof tree.value === 'string'
      ? [{ value: tree.value, at: tree.at }]
      : [];
  });
}
