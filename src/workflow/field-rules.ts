/** The state fields of a step, by which templates read its results. docs/workflow.md explains them. */
import type { UnresolvedGate } from './gate-entries.js';
import type { StepOutline } from './outline.js';
import { excerpt } from './source-line.js';
import { gatesOf, implicitGates } from './step-templates.js';
import { didYouMean } from './suggest.js';

const resultFields = [
  ...['status', 'agent', 'session_id', 'attempt', 'retries', 'duration', 'files', 'diff', 'output'],
  ...['comments', 'check_result', 'cost', 'turns', 'tokens_in', 'tokens_out', 'cache_read', 'cache_write'],
];

/** Additional fields of `{prev.…}`. */
export const previousAttemptFields = ['error'];

const taskFields = ['name', 'description', 'files'];

const gateFields = ['pass', 'error', 'comments'];

/** Why the field never exists, as a sentence without its subject; `undefined` if it may exist. */
export function fieldProblem(
  step: StepOutline,
  field: string,
  extraFields: readonly string[] = [],
): string | undefined {
  // The field may be a result of an inner step or of the called workflow.
  if (step.kind === 'group' || step.kind === 'call') return undefined;
  if (field.startsWith('gate.')) return gateFieldProblem(step, field.slice('gate.'.length));
  if (field.startsWith('retry_validator.')) return undefined;
  const known = [...resultFields, ...extraFields];
  return known.includes(field) ? undefined : noField(field, known);
}

type GatesByName = ReadonlyMap<string, UnresolvedGate>;
const gatesCache = new WeakMap<StepOutline, GatesByName>();

function gatesByName(step: StepOutline): GatesByName {
  const gates = gatesCache.get(step) ?? new Map(gatesOf(step).map((gate) => [gate.name, gate]));
  gatesCache.set(step, gates);
  return gates;
}

/** The same for a name after `gate.`: the name of a gate and one of its fields. */
export function gateFieldProblem(step: StepOutline, name: string): string | undefined {
  const gates = gatesByName(step);
  const words = name.split('.');
  const length = words.findIndex((_, index) => gates.has(words.slice(0, index + 1).join('.'))) + 1;
  const gate = gates.get(words.slice(0, length).join('.'));
  const isImplicit = length === 0 && implicitGates(step).includes(words[0] ?? '');
  if (isImplicit && ['', 'pass', 'error'].includes(words.slice(1).join('.'))) return undefined;
  if (gate === undefined) return noGate(words[0] ?? '', [...gates.keys()].slice(0, mostCompared));
  const gateField = words.slice(length).join('.');
  if (gateField === '' || gateFields.includes(gateField) || gate.type === 'validate') return undefined;
  return `has no gate field \`${excerpt(gateField)}\`.${didYouMean(gateField, gateFields) || useOneOf(gateFields)}`;
}

/** The same for a name after `task.`. */
export function taskFieldProblem(field: string): string | undefined {
  return taskFields.includes(field) ? undefined : noField(field, taskFields);
}

// Enough for a good suggestion, and few enough to compare without a noticeable delay.
const mostCompared = 200;

function noField(field: string, known: readonly string[]): string {
  return `has no field \`${excerpt(field)}\`.${didYouMean(field, known) || useOneOf(known)}`;
}

function noGate(gate: string, known: readonly string[]): string {
  return `has no gate \`${excerpt(gate)}\`.${didYouMean(gate, known) || useOneOf(known)}`;
}

function useOneOf(known: readonly string[]): string {
  return known.length === 0 ? '' : ` Use one of: ${known.slice(0, 20).map(excerpt).join(', ')}.`;
}
