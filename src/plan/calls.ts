/** The workflows that the attempts of a step call: for results (`get`), as retry conditions, and as gates. */

import type { CallRole } from '../step-path.js';
import type { Step, WorkflowCall } from '../workflow/workflow.js';

/** In the order in which an attempt calls them. */
export function callsOf(step: Step): readonly { readonly role: CallRole; readonly call: WorkflowCall }[] {
  const own = step.kind === 'split' ? step.planner : step;
  const gets = own.kind === 'agent' && own.get !== undefined ? [own.get] : [];
  const entries = own.kind === 'gates' ? [] : own.retry;
  return [
    ...entries.flatMap(({ when }, index) =>
      'validate' in when ? [{ role: roleForRetry(index), call: when.validate }] : [],
    ),
    ...gets.map((call) => ({ role: roleForGet(call), call })),
    ...own.gates.flatMap((gate) =>
      gate.type === 'validate' ? [{ role: roleForGate(gate.name), call: gate.call }] : [],
    ),
  ];
}

export function roleForRetry(index: number): CallRole {
  return `retry:${index}`;
}

export function roleForGate(gate: string): CallRole {
  return `gate:${gate}`;
}

/** Templates name the results by the last part of the path: `{arch.output}` reads `workflow: team/arch`. */
export function roleForGet({ path }: WorkflowCall): CallRole {
  return `get:${namespaceOf(path)}`;
}

export function namespaceOf(path: string): string {
  return (path.split('/').at(-1) ?? path).replace(/\.ya?ml$/, '');
}
