/**
 * Rules that a schema cannot express: between the keys of a step, and between steps. One small function per
 * rule. Each rule reports everything that it finds and does not depend on the results of the others.
 */
import { duplicateNameProblems, sessionTargetProblems } from './cross-step-rules.js';
import type { Diagnostic } from './diagnostic.js';
import { commandNamesRule } from './event-name-rules.js';
import { fallbackRule } from './fallback-rule.js';
import { gateProblems } from './gate-entries.js';
import { kindKeysRule, kindRetryRule } from './kind-rules.js';
import { unknownNames } from './name-rules.js';
import { type StepOutline, withInnerSteps } from './outline.js';
import { passAgentRule } from './pass-rules.js';
import { retryProblems } from './retry.js';
import type { RuleContext, StepRule } from './rule.js';
import { sessionScopes } from './session-scopes.js';
import { splitRule } from './split-rules.js';
import { blockRule, gateOnlyRule, requiredKeysRule, reservedNameRule } from './step-rules.js';
import { gatesOf, implicitGates } from './step-templates.js';
import { agentNameRule, removedNamesRule } from './text-rules.js';
import { contextRule, guardRule, worktreeRule } from './value-rules.js';

const gateRule: StepRule = ({ gate }) => (gate === undefined ? [] : gateProblems(gate.value));

const retryRule: StepRule = (step) => {
  if (step.retry === undefined || step.kind === 'gates') return [];
  const named = gatesOf(step).map(({ name }) => name);
  return retryProblems(step.retry.value, { declared: named, implicit: implicitGates(step) });
};

const stepRules: readonly StepRule[] = [
  kindKeysRule,
  blockRule,
  gateOnlyRule,
  requiredKeysRule,
  splitRule,
  reservedNameRule,
  agentNameRule,
  fallbackRule,
  passAgentRule,
  worktreeRule,
  contextRule,
  guardRule,
  gateRule,
  retryRule,
  kindRetryRule,
  removedNamesRule,
  commandNamesRule,
];

/** Problems of one step and the steps within it that do not depend on other steps. */
export function checkStep(step: StepOutline, options: RuleContext): readonly Diagnostic[] {
  return withInnerSteps(step).flatMap((one) => stepRules.flatMap((rule) => rule(one, options)));
}

/** Problems that depend on several steps: names, sessions and references. */
export function checkSteps(steps: readonly StepOutline[], options: RuleContext): readonly Diagnostic[] {
  const names = new Set(steps.flatMap(withInnerSteps).flatMap(({ name }) => name?.value ?? []));
  return [
    ...siblings(steps).flatMap(duplicateNameProblems),
    ...sessionScopes(steps).flatMap((scope) => sessionTargetProblems(scope, names)),
    ...unknownNames(steps, names, options),
  ];
}

/** All lists of sibling steps: the top level, and the steps of each group and split. */
function siblings(steps: readonly StepOutline[]): readonly (readonly StepOutline[])[] {
  const lists = steps.flatMap(({ each, steps: inner }) => [each ?? [], inner ?? []]);
  const inner = lists.filter((list) => list.length > 0);
  return [steps, ...inner.flatMap(siblings)];
}
