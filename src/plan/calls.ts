/** The workflows that the attempts of a step call besides being one: to get something, to retry by, to judge. */

import type { CallRole } from '../step-path.js';
import type { Step, WorkflowCall } from '../workflow/workflow.js';

/** In the order in which an attempt comes to them. */
export function callsOf(step: Step): readonly { readonly role: CallRole; readonly call: WorkflowCall }[] {
  const own = step.kind === 'split' ? step.planner : step;
  const gets = own.kind === 'agent' && own.get !== undefined ? [own.get] : [];
  const entries = own.kind === 'gates' ? [] : own.retry;
  return [
    ...entries.flatMap(({ when }, place) =>
      'validate' in when ? [{ role: roleForRetry(place), call: when.validate }] : [],
    ),
    ...gets.map((call) => ({ role: roleForGet(call), call })),
    ...own.gates.flatMap((gate) =>
      gate.type === 'validate' ? [{ role: roleForGate(gate.name), call: gate.call }] : [],
    ),
  ];
}

export function roleForRetry(place: number): CallRole {
  return `retry:${place}`;
}

export function roleForGate(gate: string): CallRole {
  return `gate:${gate}`;
}

/** Results are read by the last part of the path: `{arch.output}` of `workflow: team/arch`. */
export function roleForGet({ path }: WorkflowCall): CallRole {
  return `get:${namespaceOf(path)}`;
}

export function namespaceOf(path: string): string {
  return (path.split('/').at(-1) ?? path).replace(/\.ya?ml$/, '');
}
