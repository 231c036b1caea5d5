/** Rules for agent names and templates, in all places of a step. */

import { isModelName, modelNameRule } from '../providers/agent-name.js';
import type { Provider } from '../providers/provider.js';
import { providers as knownProviders } from '../providers/provider-registry.js';
import { agentHint, suggestModel } from './agent-hints.js';
import { type Diagnostic, problem } from './diagnostic.js';
import { eventNames, isEventName } from './event-names.js';
import type { Located } from './outline.js';
import { passAgent } from './pass-rules.js';
import { removedNamespaces } from './resolve-name.js';
import type { StepRule } from './rule.js';
import { excerpt } from './source-line.js';
import { retryTexts, spanOfName, templatesOf } from './step-templates.js';
import { didYouMean } from './suggest.js';
import { parseTemplate, templateNames } from './template.js';

export const agentNameRule: StepRule = (step, { providers }) =>
  [step.agent, step.fallback, ...retryTexts(step, 'agent')].flatMap((agent) => {
    if (agent === undefined) return [];
    return providers === undefined || agent.value.trim() === passAgent ? [] : unknownAgent(agent, providers);
  });

function unknownAgent({ value, at }: Located<string>, providers: readonly string[]): readonly Diagnostic[] {
  if (templateNames(parseTemplate(value)).length > 0) return [];
  const [provider = ''] = value.trim().split('-');
  const table = knownProviders.filter(({ id }) => providers.includes(id));
  if (providers.includes(provider)) return modelProblems(value, at, table);
  const hint = agentHint(value, table) || ` Use one of: ${providers.join(', ')}.`;
  return [
    problem(
      'unknown-agent',
      at,
      `Unknown provider \`${excerpt(provider)}\` in the agent name \`${excerpt(value)}\`.${hint}`,
    ),
  ];
}

function modelProblems(
  value: string,
  at: Located<string>['at'],
  table: readonly Provider[],
): readonly Diagnostic[] {
  const invalid = invalidModel(value, at);
  const meant = suggestModel(value, table);
  if (invalid.length > 0 || meant === undefined) return invalid;
  const message = `The model in the agent name \`${excerpt(value)}\` looks misspelled. Did you mean \`${meant}\`?`;
  return [problem('unknown-model', at, message)];
}

function invalidModel(value: string, at: Located<string>['at']): readonly Diagnostic[] {
  const name = value.trim();
  const model = name.slice(name.indexOf('-') + 1);
  if (!name.includes('-') || model === '' || isModelName(model)) return [];
  const message = `The model in the agent name \`${excerpt(value)}\` is not a model name. ${modelNameRule}`;
  return [problem('unknown-agent', at, message)];
}

export const removedNamesRule: StepRule = (step, { text: source }) =>
  templatesOf(step).flatMap((text) => {
    const removed = templateNames(parseTemplate(text.value))
      .filter((name) => isRemovedName(name))
      .slice(0, maxProblems);
    return removed.map((name) => {
      const hint = name.startsWith('run.') ? didYouMean(name, eventNames) : '';
      const message = `\`{${excerpt(name)}}\` is always empty: version 0.0.4 of the language removed it.${hint || ' Write `{STEP.FIELD}`.'}`;
      return problem('removed-name', spanOfName(name, text.at, source), message);
    });
  });

// Per text. A file never shows more problems than this.
const maxProblems = 100;

function isRemovedName(name: string): boolean {
  return !isEventName(name) && removedNamespaces.some((namespace) => name.startsWith(`${namespace}.`));
}
