/** Every text of a step in which names stand for values. */
import type { Span } from './diagnostic.js';
import { readGates, type UnresolvedGate } from './gate-entries.js';
import type { StepOutline } from './outline.js';
import type { WorkflowReference } from './reference.js';
import { readRetry } from './retry.js';
import { type Located, mappingsIn, textIn } from './yaml-node.js';

export function templatesOf(step: StepOutline): readonly Located<string>[] {
  const own = [step.agent, step.prompt].filter((text) => text !== undefined);
  const files = mappingsIn(step.context?.value).flatMap((entry) => textIn(entry, 'file') ?? []);
  const inputs = referencesOf(step).flatMap((one) => one.inputs.map(({ text }) => text));
  return [...own, ...files, ...retryTexts(step, 'prompt'), ...retryTexts(step, 'agent'), ...inputs];
}

/** What the retry entries of a step set under this key. */
export function retryTexts(step: StepOutline, key: string): readonly Located<string>[] {
  return mappingsIn(step.retry?.value).flatMap((entry) => textIn(entry, key) ?? []);
}

/** Every workflow that the step speaks of, those of the steps within it not among them. */
export function referencesOf(step: StepOutline): readonly WorkflowReference[] {
  const gates = gatesOf(step).flatMap((gate) => (gate.type === 'validate' ? [gate.reference] : []));
  const retries = step.retry === undefined ? [] : readRetry(step.retry.value);
  const judges = retries.flatMap(({ when }) => ('validate' in when ? [when.validate] : []));
  return [step.call, step.get, ...gates, ...judges].filter((one) => one !== undefined);
}

export function gatesOf({ gate }: StepOutline): readonly UnresolvedGate[] {
  return gate === undefined ? [] : readGates(gate.value);
}

/** The gates that a step has without naming them: whether it kept to the files of its task. */
export function implicitGates({ type }: StepOutline): readonly string[] {
  return type?.value === 'code' ? ['files'] : [];
}

/** Where a name stands in a value, so far as it stands there as it is read; else the whole value. */
export function spanOfName(name: string, at: Span, source: string): Span {
  const offset = source.slice(at.start, at.end).indexOf(`{${name}}`);
  const start = at.start + offset;
  return offset < 0 ? at : { start, end: start + name.length + 2 };
}
