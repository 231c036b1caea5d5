/**
 * The meaning rules: what must hold between the keys of a step, and between steps. One small function per
 * rule; each tells all it finds, and none relies on another having found nothing.
 */
import { duplicateNames, sessionTargets } from './between-steps.js';
import type { Diagnostic } from './diagnostic.js';
import { gateFaults, readGates } from './gates.js';
import type { StepOutline } from './outline.js';
import { retryFaults } from './retry.js';
import { split } from './split-rules.js';
import { blocks, gateOnly, isGateOnly, stepName, typed } from './step-rules.js';
import { agents, removedNames } from './text-rules.js';

export interface CheckOptions {
  /** Ids of the providers there are; without them agent names are not checked. */
  readonly providers?: readonly string[] | undefined;
  /** Stands in where a step names no agent. */
  readonly defaultAgent?: string | undefined;
}

export type StepRule = (step: StepOutline, options: CheckOptions) => readonly Diagnostic[];
/** `steps`: those of one scope, which is the workflow or the `each` of a split; `names`: of all steps anywhere. */
export type ScopeRule = (steps: readonly StepOutline[], names: readonly string[]) => readonly Diagnostic[];

const gates: StepRule = ({ gate }) => (gate === undefined ? [] : gateFaults(gate.value));

const retry: StepRule = (step) => {
  if (step.retry === undefined || isGateOnly(step)) return [];
  const gateNames = step.gate === undefined ? [] : readGates(step.gate.value).map(({ name }) => name);
  return retryFaults(step.retry.value, gateNames);
};

const stepRules: readonly StepRule[] = [
  blocks,
  gateOnly,
  typed,
  split,
  stepName,
  agents,
  gates,
  retry,
  removedNames,
];
const scopeRules: readonly ScopeRule[] = [duplicateNames, sessionTargets];

/** What can be said of a step without knowing the others. */
export function checkStep(step: StepOutline, options: CheckOptions): readonly Diagnostic[] {
  const inner = (step.each ?? []).flatMap((one) => checkStep(one, options));
  return [...stepRules.flatMap((rule) => rule(step, options)), ...inner];
}

/** What only shows between the steps. */
export function checkSteps(steps: readonly StepOutline[]): readonly Diagnostic[] {
  const scopes = scopesOf(steps);
  const names = scopes.flat().flatMap(({ name }) => name?.value ?? []);
  return scopes.flatMap((scope) => scopeRules.flatMap((rule) => rule(scope, names)));
}

function scopesOf(steps: readonly StepOutline[]): readonly (readonly StepOutline[])[] {
  return [steps, ...steps.flatMap(({ each }) => (each === undefined ? [] : scopesOf(each)))];
}
