/** Every text of a step in which names stand for values. */
import type { Span } from './diagnostic.js';
import { readGates, type WrittenGate } from './gates.js';
import type { StepOutline } from './outline.js';
import type { Reference } from './reference.js';
import { readRetry } from './retry.js';
import { mappingsIn, textIn, type Written } from './tree.js';

export function templatesOf(step: StepOutline): readonly Written<string>[] {
  const own = [step.agent, step.prompt].filter((text) => text !== undefined);
  const files = mappingsIn(step.context?.value).flatMap((entry) => textIn(entry, 'file') ?? []);
  const inputs = referencesOf(step).flatMap((one) => one.inputs.map(({ text }) => text));
  return [...own, ...files, ...retryTexts(step, 'prompt'), ...retryTexts(step, 'agent'), ...inputs];
}

/** What the retry entries of a step set under this key. */
export function retryTexts(step: StepOutline, key: string): readonly Written<string>[] {
  return mappingsIn(step.retry?.value).flatMap((entry) => textIn(entry, key) ?? []);
}

/** Every workflow that the step speaks of, those of the steps within it not among them. */
export function referencesOf(step: StepOutline): readonly Reference[] {
  const gates = gatesOf(step).flatMap((gate) => (gate.type === 'validate' ? [gate.reference] : []));
  const retries = step.retry === undefined ? [] : readRetry(step.retry.value);
  const judges = retries.flatMap(({ when }) => ('validate' in when ? [when.validate] : []));
  return [step.call, step.get, ...gates, ...judges].filter((one) => one !== undefined);
}

export function gatesOf({ gate }: StepOutline): readonly WrittenGate[] {
  return gate === undefined ? [] : readGates(gate.value);
}

/** The gates that a step has without naming them: whether it kept to the files of its task. */
export function ownGates({ type }: StepOutline): readonly string[] {
  return type?.value === 'code' ? ['files'] : [];
}

/** Where a name stands in a value, so far as it stands there as it is read; else the whole value. */
export function placeOfName(name: string, at: Span, source: string): Span {
  const offset = source.slice(at.start, at.end).indexOf(`{${name}}`);
  const start = at.start + offset;
  return offset < 0 ? at : { start, end: start + name.length + 2 };
}
