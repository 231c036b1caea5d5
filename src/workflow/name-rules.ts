/**
 * Names in templates that nothing can ever stand for. A name is looked for as `resolve-name.ts` does while
 * the workflow runs: from the step's own scope outwards, up to the workflow of the file.
 */

import { type Diagnostic, problem } from './diagnostic.js';
import { fieldProblem, gateFieldProblem, previousAttemptFields, taskFieldProblem } from './field-rules.js';
import type { StepOutline } from './outline.js';
import { lastSegment } from './reference.js';
import { removedNamespaces } from './resolve-name.js';
import type { RuleContext } from './rule.js';
import { excerpt } from './source-line.js';
import { spanOfName, templatesOf } from './step-templates.js';
import { didYouMean } from './suggest.js';
import { parseTemplate, templateNames } from './template.js';

/** Names that stand for something in every step. */
export const attemptVariables: readonly string[] = ['spec', 'attempt', 'error', 'diff', 'output'];

/** The steps that can be named from some place, the nearest folder first. */
interface LookupScope {
  readonly levels: readonly ScopeLevel[];
  readonly isInTask: boolean;
}

/** What paths can begin with: names of steps, or, right below a split, names of tasks that nobody knows yet. */
type ScopeLevel = { readonly steps: ReadonlyMap<string, StepOutline> } | { readonly split: StepOutline };

// More than are ever shown; a file that is nothing but such names is not searched to its end.
const maxProblems = 200;

export function unknownNames(steps: readonly StepOutline[], options: RuleContext): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const one of checkStepList(steps, { levels: [], isInTask: false }, options)) {
    if (found.push(one) === maxProblems) break;
  }
  return found;
}

function* checkStepList(
  steps: readonly StepOutline[],
  outer: LookupScope,
  options: RuleContext,
): Generator<Diagnostic> {
  const scope = { ...outer, levels: [levelOf(steps), ...outer.levels] };
  for (const step of steps) {
    yield* checkStepTexts(step, scope, options);
    const tasks = { levels: [{ split: step }, ...scope.levels], isInTask: true };
    if (step.each !== undefined) yield* checkStepList(step.each, tasks, options);
    if (step.steps !== undefined) yield* checkStepList(step.steps, scope, options);
  }
}

const levelCache = new WeakMap<readonly StepOutline[], ScopeLevel>();

function levelOf(steps: readonly StepOutline[]): ScopeLevel {
  const entries = () => steps.flatMap((step) => (step.name ? [[step.name.value, step] as const] : []));
  const level = levelCache.get(steps) ?? { steps: new Map(entries()) };
  levelCache.set(steps, level);
  return level;
}

// No name of a step and a field is longer, and every dot of a name is looked at.
const longest = 1000;

function* checkStepTexts(
  step: StepOutline,
  scope: LookupScope,
  { vars, text: source }: RuleContext,
): Generator<Diagnostic> {
  for (const text of templatesOf(step)) {
    for (const name of templateNames(parseTemplate(text.value))) {
      if (name.length > longest) continue;
      const why = name.includes('.') ? dottedNameProblem(name, step, scope) : variableProblem(name, vars);
      if (why === undefined) continue;
      yield problem(
        'unknown-name',
        spanOfName(name, text.at, source),
        `\`{${excerpt(name)}}\` stands for nothing: ${why}`,
      );
    }
  }
}

function variableProblem(name: string, vars: readonly string[] | undefined): string | undefined {
  if (vars === undefined || attemptVariables.includes(name) || vars.includes(name)) return undefined;
  return `there is no variable of this name.${didYouMean(name, [...attemptVariables, ...vars])}`;
}

/** Why the name stands for nothing, as a sentence. */
function dottedNameProblem(name: string, step: StepOutline, scope: LookupScope): string | undefined {
  const [namespace = ''] = name.split('.', 1);
  const rest = name.slice(namespace.length + 1);
  // Told by a rule of its own.
  if (removedNamespaces.some((one) => one === namespace)) return undefined;
  if (namespace === 'gate') return sentence('the step', gateFieldProblem(step, rest));
  if (namespace === 'prev')
    return sentence('an attempt of this step', fieldProblem(step, rest, previousAttemptFields));
  if (namespace === 'task') {
    return scope.isInTask
      ? sentence('a task', taskFieldProblem(rest))
      : 'there is no task outside of `each`.';
  }
  if (step.get !== undefined && namespace === lastSegment(step.get.path)) return undefined;
  return stepReferenceProblem(name, scope);
}

function sentence(subject: string, fieldFault: string | undefined): string | undefined {
  return fieldFault && `${subject} ${fieldFault}.`;
}

/** A step's name may hold dots itself, so every dot may be the one behind it. */
function stepReferenceProblem(name: string, scope: LookupScope): string | undefined {
  let why: string | undefined;
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const path = name.slice(0, dot);
    for (const level of scope.levels) {
      const found = findStep(level, path.split('/'));
      if (found === undefined) continue;
      const problem = fieldProblem(found, name.slice(dot + 1));
      if (problem === undefined) return undefined;
      why ??= `step \`${excerpt(path)}\` ${problem}.`;
    }
  }
  const [path = ''] = name.split('.', 1);
  return why ?? `there is no step \`${excerpt(path)}\` here.${didYouMean(path, known(scope.levels))}`;
}

/** The step itself, or the group, call or split that the path leads into as far as it can be known. */
function findStep(level: ScopeLevel, [first = '', ...rest]: readonly string[]): StepOutline | undefined {
  if ('split' in level)
    return rest.length === 0 ? undefined : findStep(levelOf(level.split.each ?? []), rest);
  const step = level.steps.get(first);
  if (step === undefined || rest.length === 0 || step.kind === 'call') return step;
  if (step.kind === 'group') return findStep(levelOf(step.steps ?? []), rest);
  return step.kind === 'split' ? findStep({ split: step }, rest) : undefined;
}

// Enough to find what was meant, and no more than can be compared in no time.
const mostCompared = 200;

function known(near: readonly ScopeLevel[]): readonly string[] {
  return near.flatMap((one) => ('steps' in one ? [...one.steps.keys()] : [])).slice(0, mostCompared);
}
