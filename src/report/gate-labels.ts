/** What people read about a gate instead of its name in templates: the command, the pattern. Pure. */
import type { RunState } from '../journal/run-state.js';
import { expandPlan } from '../plan/placed-step.js';
import type { Plan } from '../plan/plan.js';
import type { Gate } from '../workflow/workflow.js';

/** Path of a step → name of a gate → its label. */
export type GateLabels = ReadonlyMap<string, ReadonlyMap<string, string>>;

export function gateLabelsOf(plan: Plan, state: RunState): GateLabels {
  return new Map(
    expandPlan(plan, state).map(({ path, step }) => [
      path,
      new Map(step.gates.map((gate) => [gate.name, labelOf(gate)])),
    ]),
  );
}

function labelOf(gate: Gate): string {
  switch (gate.type) {
    case 'bash':
      return gate.command;
    case 'touched':
    case 'untouched':
      return `${gate.type} ${gate.pattern}`;
    case 'coverage':
      return gate.atLeast === undefined ? gate.name : `coverage at least ${gate.atLeast} %`;
    default:
      return gate.name;
  }
}
