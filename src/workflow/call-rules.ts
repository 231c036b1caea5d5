/** What a caller hands over against what the workflow that is called asks for. */
import { type Diagnostic, fault } from './diagnostic.js';
import { ofAttempt } from './name-rules.js';
import { withInner } from './outline.js';
import type { WrittenWorkflow } from './read-workflow.js';
import type { Reference } from './reference.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';
import { names, parseTemplate } from './template.js';
import { referencesOf, templatesOf } from './templates.js';

interface Named {
  /** Names in its texts. */
  readonly names: ReadonlySet<string>;
  /** Whether it calls others in turn, which may take what it names. */
  readonly calls: boolean;
}

const read = new WeakMap<WrittenWorkflow, Named>();

/** `vars`: names that every workflow finds; without them nothing is said of what is missing. */
export function inputFaults(
  reference: Reference,
  called: WrittenWorkflow,
  caller: WrittenWorkflow,
  vars: readonly string[] | undefined,
): readonly Diagnostic[] {
  const asked = namesIn(called);
  return [...unknownInputs(reference, asked), ...missingInputs(reference, asked, namesIn(caller), vars)];
}

function unknownInputs({ path, inputs }: Reference, asked: Named): readonly Diagnostic[] {
  if (asked.calls) return [];
  return inputs.flatMap(({ name, at }) => {
    if (asked.names.has(name)) return [];
    const hint = didYouMean(name, dotless(asked));
    const message = `The workflow \`${excerpt(path)}\` never names \`{${excerpt(name)}}\`, so this input has no effect.${hint}`;
    return [fault('unknown-input', at, message)];
  });
}

// What the caller names itself it may have been given in turn; whether it was is told where it is called.
function missingInputs(
  { path, at, inputs }: Reference,
  asked: Named,
  caller: Named,
  vars: readonly string[] | undefined,
): readonly Diagnostic[] {
  if (vars === undefined) return [];
  const given = new Set([...ofAttempt, ...vars, ...inputs.map(({ name }) => name)]);
  const missing = dotless(asked).filter((name) => !given.has(name) && !caller.names.has(name));
  if (missing.length === 0) return [];
  const shown = missing.slice(0, 5).map((name) => `\`${excerpt(name)}\``);
  const message = `The workflow \`${excerpt(path)}\` asks for ${shown.join(', ')}, which it is not given: add it to its inputs.`;
  return [fault('missing-input', at, message)];
}

function dotless({ names: all }: Named): readonly string[] {
  return [...all].filter((name) => !name.includes('.') && !name.includes('/'));
}

function namesIn(written: WrittenWorkflow): Named {
  const known = read.get(written);
  if (known !== undefined) return known;
  const steps = written.steps.flatMap(withInner);
  const all = steps.flatMap(templatesOf).flatMap(({ value }) => names(parseTemplate(value)));
  const named = { names: new Set(all), calls: steps.some((step) => referencesOf(step).length > 0) };
  read.set(written, named);
  return named;
}
