/** Compares the inputs that a caller passes with the names that the called workflow uses. */
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
  /** All names in the templates of the workflow. */
  readonly names: ReadonlySet<string>;
  /** Whether the workflow calls other workflows, which may use its inputs. */
  readonly hasCalls: boolean;
}

const templateNamesCache = new WeakMap<WorkflowOutline, TemplateNames>();

/** `vars`: names that are defined in every workflow. If they are unknown, missing inputs are not reported. */
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
    const message = `The workflow \`${excerpt(path)}\` never uses \`{${excerpt(name)}}\`, so this input has no effect.${hint || ' Remove it.'}`;
    return [problem('unknown-input', at, message)];
  });
}

// A name that the caller uses itself may be an input of the caller. Its own call is checked for that name.
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
  const pronoun = missing.length === 1 ? 'it' : 'them';
  const message = `The workflow \`${excerpt(path)}\` uses ${shown.join(', ')}, but this call does not pass ${pronoun}. Add ${pronoun} to the inputs.`;
  return [problem('missing-input', at, message)];
}

function variableNames({ names: all }: TemplateNames): readonly string[] {
  return [...all].filter((name) => !name.includes('.') && !name.includes('/'));
}

function readTemplateNames(outline: WorkflowOutline): TemplateNames {
  const known = templateNamesCache.get(outline);
  if (known !== undefined) return known;
  const steps = outline.steps.flatMap(withInnerSteps);
  const all = steps.flatMap(templatesOf).flatMap(({ value }) => templateNames(parseTemplate(value)));
  const named = { names: new Set(all), hasCalls: steps.some((step) => referencesOf(step).length > 0) };
  templateNamesCache.set(outline, named);
  return named;
}
