/**
 * Names in templates that are never defined. The search follows `resolve-name.ts`, which resolves names while
 * the workflow runs: from the step's own scope outwards, up to the workflow of the file.
 */

import { type Diagnostic, problem } from './diagnostic.js';
import { eventNameProblem, isForSeveralEvents, type NameProblem } from './event-name-rules.js';
import { eventNamespaceOf, isEventName } from './event-names.js';
import { fieldProblem, gateFieldProblem, previousAttemptFields, taskFieldProblem } from './field-rules.js';
import type { StepOutline } from './outline.js';
import { diffSincePrevious, previousNameProblem } from './previous-names.js';
import { lastSegment } from './reference.js';
import { removedNamespaces } from './resolve-name.js';
import type { RuleContext } from './rule.js';
import { excerpt } from './source-line.js';
import { spanOfName, templatesOf } from './step-templates.js';
import { didYouMean } from './suggest.js';
import { parseTemplate, templateNames } from './template.js';

/** Names that are defined in every step. */
export const attemptVariables: readonly string[] = ['spec', 'attempt', 'error', 'diff', 'output'];

/** The steps that a template can refer to, the nearest level first. */
interface LookupScope {
  readonly levels: readonly ScopeLevel[];
  readonly isInTask: boolean;
  /** The names of all steps of the file. */
  readonly all: ReadonlySet<string>;
}

/** The first segments of paths: names of steps or, directly below a split, names of tasks, which only a run knows. */
type ScopeLevel = { readonly steps: ReadonlyMap<string, StepOutline> } | { readonly split: StepOutline };

// More than are ever shown. The limit bounds the time for a file that contains nothing but such names.
const maxProblems = 200;

/** `all`: the names of all steps of the file. */
export function unknownNames(
  steps: readonly StepOutline[],
  all: ReadonlySet<string>,
  options: RuleContext,
): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const one of checkStepList(steps, { levels: [], isInTask: false, all }, options)) {
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
    const tasks = { ...scope, levels: [{ split: step }, ...scope.levels], isInTask: true };
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

// No valid name is longer. The limit bounds the time, because the search looks at every dot of a name.
const longest = 1000;

function* checkStepTexts(step: StepOutline, scope: LookupScope, options: RuleContext): Generator<Diagnostic> {
  const mayBeEmpty = isForSeveralEvents(step, options);
  for (const text of templatesOf(step)) {
    for (const name of templateNames(parseTemplate(text.value))) {
      if (name.length > longest) continue;
      const found = nameProblem(name, step, scope, options);
      if (found === undefined || (mayBeEmpty && found.code === 'unavailable-name')) continue;
      yield problem(
        found.code,
        spanOfName(name, text.at, options.text),
        `\`{${excerpt(name)}}\` ${found.text}`,
      );
    }
  }
}

/** A step takes precedence over a name of the event, as when the workflow runs. */
function nameProblem(
  name: string,
  step: StepOutline,
  scope: LookupScope,
  options: RuleContext,
): NameProblem | undefined {
  const text = name.includes('.')
    ? dottedNameProblem(name, step, scope)
    : variableProblem(name, options.vars);
  if (text === undefined) return isRemovedButOfEvent(name) ? eventNameProblem(name, options) : undefined;
  const namespace = eventNamespaceOf(name);
  const isStep = namespace !== undefined && knownSteps(scope.levels).includes(namespace);
  if (namespace !== undefined && (isEventName(name) || !isStep)) return eventNameProblem(name, options);
  return { code: 'unknown-name', text };
}

/** `{run.url}`: `run` was a namespace of an earlier version of the language, too. */
function isRemovedButOfEvent(name: string): boolean {
  return isEventName(name) && removedNamespaces.some((one) => name.startsWith(`${one}.`));
}

function variableProblem(name: string, vars: readonly string[] | undefined): string | undefined {
  if (vars === undefined || attemptVariables.includes(name) || vars.includes(name)) return undefined;
  const hint = didYouMean(name, [...attemptVariables, ...vars]) || ' Define it in the input `vars`.';
  return `is not defined and will be empty.${hint}`;
}

/** Why the name is never defined, as a sentence without its subject. */
function dottedNameProblem(name: string, step: StepOutline, scope: LookupScope): string | undefined {
  const [namespace = ''] = name.split('.', 1);
  const rest = name.slice(namespace.length + 1);
  // `removedNamesRule` reports these.
  if (removedNamespaces.some((one) => one === namespace)) return undefined;
  if (name === diffSincePrevious) return undefined;
  // A step with this name is older than the namespace.
  if (namespace === 'previous' && !scope.all.has(namespace)) {
    const problem = previousNameProblem(rest, scope.all);
    return problem && undefinedName(problem);
  }
  if (namespace === 'gate') return sentence('The step', gateFieldProblem(step, rest));
  if (namespace === 'prev')
    return sentence('An attempt of this step', fieldProblem(step, rest, previousAttemptFields));
  if (namespace === 'task') {
    return scope.isInTask
      ? sentence('A task', taskFieldProblem(rest))
      : undefinedName('Use `{task.…}` only in steps of `each`.');
  }
  if (step.get !== undefined && namespace === lastSegment(step.get.path)) return undefined;
  return stepReferenceProblem(name, scope);
}

function sentence(subject: string, problem: string | undefined): string | undefined {
  return problem && undefinedName(`${subject} ${problem}`);
}

function undefinedName(reason: string): string {
  return `is not defined and will be empty. ${reason}`;
}

/** A step name may contain dots, so any dot may be the one that ends it. */
function stepReferenceProblem(name: string, scope: LookupScope): string | undefined {
  let why: string | undefined;
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const path = name.slice(0, dot);
    for (const level of scope.levels) {
      const found = findStep(level, path.split('/'));
      if (found === undefined) continue;
      const problem = fieldProblem(found, name.slice(dot + 1));
      if (problem === undefined) return undefined;
      why ??= `Step \`${excerpt(path)}\` ${problem}`;
    }
  }
  const [path = ''] = name.split('.', 1);
  const hint = didYouMean(path, knownSteps(scope.levels)) || ' Name a step of this scope.';
  return undefinedName(why ?? `There is no step \`${excerpt(path)}\` here.${hint}`);
}

/** The step at the path; for a path into a call, the call, because its steps are in another file. */
function findStep(level: ScopeLevel, [first = '', ...rest]: readonly string[]): StepOutline | undefined {
  if ('split' in level)
    return rest.length === 0 ? undefined : findStep(levelOf(level.split.each ?? []), rest);
  const step = level.steps.get(first);
  if (step === undefined || rest.length === 0 || step.kind === 'call') return step;
  if (step.kind === 'group') return findStep(levelOf(step.steps ?? []), rest);
  return step.kind === 'split' ? findStep({ split: step }, rest) : undefined;
}

// Enough for a good suggestion, and few enough to compare without a noticeable delay.
const mostCompared = 200;

function knownSteps(levels: readonly ScopeLevel[]): readonly string[] {
  return levels.flatMap((one) => ('steps' in one ? [...one.steps.keys()] : [])).slice(0, mostCompared);
}
