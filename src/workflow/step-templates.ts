/** All templates of a step, and the other workflows and gates that it refers to. */
import type { Span } from './diagnostic.js';
import { readGates, type UnresolvedGate } from './gate-entries.js';
import type { StepOutline } from './outline.js';
import type { WorkflowReference } from './reference.js';
import { readRetry } from './retry.js';
import { entryOf, type Located, mappingsIn, textIn, writtenText } from './yaml-node.js';

export function templatesOf(step: StepOutline): readonly Located<string>[] {
  const own = [step.agent, step.prompt].filter((text) => text !== undefined);
  const files = mappingsIn(step.context?.value).flatMap((entry) => textIn(entry, 'file') ?? []);
  const inputs = referencesOf(step).flatMap((one) => one.inputs.map(({ text }) => text));
  return [...own, ...files, ...retryTexts(step, 'prompt'), ...retryTexts(step, 'agent'), ...inputs];
}

/** The shell commands of a step, which are no templates: in `context`, and of gates. */
export function commandsOf(step: StepOutline): readonly Located<string>[] {
  const context = mappingsIn(step.context?.value).flatMap((entry) => textIn(entry, 'bash') ?? []);
  const gates = (step.gate?.value.items ?? []).flatMap((item) => {
    const text = writtenText(item.kind === 'map' ? entryOf(item, 'bash')?.value : item);
    const isCommand = item.kind === 'map' || text?.value.trim().startsWith('bash:') === true;
    return isCommand && text !== undefined ? [text] : [];
  });
  return [...context, ...gates];
}

/** What the retry entries of a step set under this key. */
export function retryTexts(step: StepOutline, key: string): readonly Located<string>[] {
  return mappingsIn(step.retry?.value).flatMap((entry) => textIn(entry, key) ?? []);
}

/** All workflows that the step itself refers to; those of its inner steps are not included. */
export function referencesOf(step: StepOutline): readonly WorkflowReference[] {
  const gates = gatesOf(step).flatMap((gate) => (gate.type === 'validate' ? [gate.reference] : []));
  const retries = step.retry === undefined ? [] : readRetry(step.retry.value);
  const validators = retries.flatMap(({ when }) => ('validate' in when ? [when.validate] : []));
  return [step.call, step.get, ...gates, ...validators].filter((one) => one !== undefined);
}

export function gatesOf({ gate }: StepOutline): readonly UnresolvedGate[] {
  return gate === undefined ? [] : readGates(gate.value);
}

/** Gates that a step has without declaring them. `files` checks that the step changed only files of its task. */
export function implicitGates({ type }: StepOutline): readonly string[] {
  return type?.value === 'code' ? ['files'] : [];
}

/** The span of a name in a value. The whole value if YAML escapes hide the name in the file. */
export function spanOfName(name: string, at: Span, source: string): Span {
  const offset = source.slice(at.start, at.end).indexOf(`{${name}}`);
  const start = at.start + offset;
  return offset < 0 ? at : { start, end: start + name.length + 2 };
}
