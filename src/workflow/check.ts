/**
 * The meaning rules: what must hold between the keys of a step, and between steps. One small function per
 * rule; each tells all it finds, and none relies on another having found nothing.
 */
import { duplicateNames, sessionTargets } from './between-steps.js';
import type { Diagnostic } from './diagnostic.js';
import { gateFaults, readGates } from './gates.js';
import type { StepOutline } from './outline.js';
import { retryFaults } from './retry.js';
import { blocks, gateOnly, isGateOnly, stepName, typed } from './step-rules.js';
import { agents, removedNames } from './text-rules.js';

export interface CheckOptions {
  /** Ids of the providers there are; without them agent names are not checked. */
  readonly providers?: readonly string[] | undefined;
}

export type StepRule = (step: StepOutline, options: CheckOptions) => readonly Diagnostic[];
export type WorkflowRule = (steps: readonly StepOutline[]) => readonly Diagnostic[];

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
  stepName,
  agents,
  gates,
  retry,
  removedNames,
];
const workflowRules: readonly WorkflowRule[] = [duplicateNames, sessionTargets];

/** What can be said of a step without knowing the others. */
export function checkStep(step: StepOutline, options: CheckOptions): readonly Diagnostic[] {
  return stepRules.flatMap((rule) => rule(step, options));
}

/** What only shows between the steps. */
export function checkSteps(steps: readonly StepOutline[]): readonly Diagnostic[] {
  return workflowRules.flatMap((rule) => rule(steps));
}
