/** What a caller hands over against what the workflow that is called asks for. */
import { type Diagnostic, problem } from './diagnostic.js';
import { attemptVariables } from './name-rules.js';
import { withInnerSteps } from './outline.js';
import type { WorkflowOutline } from './read-workflow.js';
import type { WorkflowReference } from './reference.js';
import { excerpt } from './source-line.js';
import { referencesOf, templatesOf } from './step-templates.js';
import { didYouMean } from './suggest.js';
import { parseTemplate, templateNames } from './template.js';

interface TemplateNames {
  /** Names in its texts. */
  readonly names: ReadonlySet<string>;
  /** Whether it calls others in turn, which may take what it names. */
  readonly hasCalls: boolean;
}

const templateNamesCache = new WeakMap<WorkflowOutline, TemplateNames>();

/** `vars`: names that every workflow finds; without them nothing is said of what is missing. */
export function inputProblems(
  reference: WorkflowReference,
  called: WorkflowOutline,
  caller: WorkflowOutline,
  vars: readonly string[] | undefined,
): readonly Diagnostic[] {
  const calledNames = readTemplateNames(called);
  return [
    ...unknownInputs(reference, calledNames),
    ...missingInputs(reference, calledNames, readTemplateNames(caller), vars),
  ];
}

function unknownInputs(
  { path, inputs }: WorkflowReference,
  calledNames: TemplateNames,
): readonly Diagnostic[] {
  if (calledNames.hasCalls) return [];
  return inputs.flatMap(({ name, at }) => {
    if (calledNames.names.has(name)) return [];
    const hint = didYouMean(name, variableNames(calledNames));
    const message = `The workflow \`${excerpt(path)}\` never names \`{${excerpt(name)}}\`, so this input has no effect.${hint}`;
    return [problem('unknown-input', at, message)];
  });
}

// What the caller names itself it may have been given in turn; whether it was is told where it is called.
function missingInputs(
  { path, at, inputs }: WorkflowReference,
  calledNames: TemplateNames,
  callerNames: TemplateNames,
  vars: readonly string[] | undefined,
): readonly Diagnostic[] {
  if (vars === undefined) return [];
  const given = new Set([...attemptVariables, ...vars, ...inputs.map(({ name }) => name)]);
  const missing = variableNames(calledNames).filter(
    (name) => !given.has(name) && !callerNames.names.has(name),
  );
  if (missing.length === 0) return [];
  const shown = missing.slice(0, 5).map((name) => `\`${excerpt(name)}\``);
  const message = `The workflow \`${excerpt(path)}\` asks for ${shown.join(', ')}, which it is not given: add it to its inputs.`;
  return [problem('missing-input', at, message)];
}

function variableNames({ names: all }: TemplateNames): readonly string[] {
  return [...all].filter((name) => !name.includes('.') && !name.includes('/'));
}

function readTemplateNames(written: WorkflowOutline): TemplateNames {
  const known = templateNamesCache.get(written);
  if (known !== undefined) return known;
  const steps = written.steps.flatMap(withInnerSteps);
  const all = steps.flatMap(templatesOf).flatMap(({ value }) => templateNames(parseTemplate(value)));
  const named = { names: new Set(all), hasCalls: steps.some((step) => referencesOf(step).length > 0) };
  templateNamesCache.set(written, named);
  return named;
}
