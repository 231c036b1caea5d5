/** The state fields of a step, by which templates read its results. What they hold is in docs/workflow.md. */
import type { UnresolvedGate } from './gate-entries.js';
import type { StepOutline } from './outline.js';
import { gatesOf, implicitGates } from './step-templates.js';
import { closest } from './suggest.js';

const resultFields = [
  ...['status', 'agent', 'session_id', 'attempt', 'retries', 'duration', 'files', 'diff', 'output'],
  ...['comments', 'check_result', 'cost', 'turns', 'tokens_in', 'tokens_out', 'cache_read', 'cache_write'],
];

/** What `{prev.…}` has besides. */
export const previousAttemptFields = ['error'];

const taskFields = ['name', 'description', 'files'];

/** Why the field can never be there, as the end of a sentence; `undefined` when it can. */
export function fieldProblem(
  step: StepOutline,
  field: string,
  extraFields: readonly string[] = [],
): string | undefined {
  // Results of the steps within, or of a workflow that was called.
  if (step.kind === 'group' || step.kind === 'call') return undefined;
  if (field.startsWith('gate.')) return gateFieldProblem(step, field.slice('gate.'.length));
  if (field.startsWith('retry_validator.')) return undefined;
  const known = [...resultFields, ...extraFields];
  return known.includes(field) ? undefined : `has no field \`${field}\`${nearest(field, known)}`;
}

type GatesByName = ReadonlyMap<string, UnresolvedGate>;
const gatesCache = new WeakMap<StepOutline, GatesByName>();

function gatesByName(step: StepOutline): GatesByName {
  const gates = gatesCache.get(step) ?? new Map(gatesOf(step).map((gate) => [gate.name, gate]));
  gatesCache.set(step, gates);
  return gates;
}

/** The same for what stands behind `gate.`: a gate's name, and what is asked of it. */
export function gateFieldProblem(step: StepOutline, name: string): string | undefined {
  const gates = gatesByName(step);
  const words = name.split('.');
  const length = words.findIndex((_, index) => gates.has(words.slice(0, index + 1).join('.'))) + 1;
  const gate = gates.get(words.slice(0, length).join('.'));
  const isOwn = length === 0 && implicitGates(step).includes(words[0] ?? '');
  if (isOwn && ['', 'pass', 'error'].includes(words.slice(1).join('.'))) return undefined;
  if (gate === undefined)
    return `has no gate \`${words[0]}\`${nearest(words[0] ?? '', [...gates.keys()].slice(0, mostCompared))}`;
  const gateField = words.slice(length).join('.');
  const known = ['', 'pass', 'error', 'comments'];
  if (known.includes(gateField) || gate.type === 'validate') return undefined;
  return `has no \`${gateField}\` of its gates${nearest(gateField, known)}`;
}

/** The same for what stands behind `task.`. */
export function taskFieldProblem(field: string): string | undefined {
  return taskFields.includes(field) ? undefined : `has no field \`${field}\`${nearest(field, taskFields)}`;
}

// Enough to find what was meant, and no more than can be compared in no time.
const mostCompared = 200;

function nearest(word: string, known: readonly string[]): string {
  const found = closest(word, known);
  return found === undefined ? '' : `, but \`${found}\``;
}
