/**
 * Names in templates that nothing can ever stand for. A name is looked for as `resolve-name.ts` does while
 * the workflow runs: from the step's own scope outwards, up to the workflow of the file.
 */

import { type Diagnostic, fault } from './diagnostic.js';
import { fieldFault, gateFault, ofPrevious, taskFault } from './fields.js';
import type { StepOutline } from './outline.js';
import { lastSegment } from './reference.js';
import { removedNamespaces } from './resolve-name.js';
import type { CheckedText } from './rule.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';
import { names, parseTemplate } from './template.js';
import { placeOfName, templatesOf } from './templates.js';

/** Names that stand for something in every step. */
export const ofAttempt: readonly string[] = ['spec', 'attempt', 'error', 'diff', 'output'];

/** The steps that can be named from some place, the nearest folder first. */
interface Scope {
  readonly folders: readonly Folder[];
  readonly inTask: boolean;
}

/** What paths can begin with: names of steps, or, right below a split, names of tasks that nobody knows yet. */
type Folder = { readonly steps: ReadonlyMap<string, StepOutline> } | { readonly split: StepOutline };

// More than are ever shown; a file that is nothing but such names is not searched to its end.
const mostTold = 200;

export function unknownNames(steps: readonly StepOutline[], options: CheckedText): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const one of below(steps, { folders: [], inTask: false }, options)) {
    if (found.push(one) === mostTold) break;
  }
  return found;
}

function* below(steps: readonly StepOutline[], outer: Scope, options: CheckedText): Generator<Diagnostic> {
  const scope = { ...outer, folders: [folderOf(steps), ...outer.folders] };
  for (const step of steps) {
    yield* ofStep(step, scope, options);
    const tasks = { folders: [{ split: step }, ...scope.folders], inTask: true };
    if (step.each !== undefined) yield* below(step.each, tasks, options);
    if (step.steps !== undefined) yield* below(step.steps, scope, options);
  }
}

const folders = new WeakMap<readonly StepOutline[], Folder>();

function folderOf(steps: readonly StepOutline[]): Folder {
  const entries = () => steps.flatMap((step) => (step.name ? [[step.name.value, step] as const] : []));
  const folder = folders.get(steps) ?? { steps: new Map(entries()) };
  folders.set(steps, folder);
  return folder;
}

// No name of a step and a field is longer, and every dot of a name is looked at.
const longest = 1000;

function* ofStep(
  step: StepOutline,
  scope: Scope,
  { vars, text: source }: CheckedText,
): Generator<Diagnostic> {
  for (const text of templatesOf(step)) {
    for (const name of names(parseTemplate(text.value))) {
      if (name.length > longest) continue;
      const why = name.includes('.') ? dotted(name, step, scope) : dotless(name, vars);
      if (why === undefined) continue;
      yield fault(
        'unknown-name',
        placeOfName(name, text.at, source),
        `\`{${excerpt(name)}}\` stands for nothing: ${why}`,
      );
    }
  }
}

function dotless(name: string, vars: readonly string[] | undefined): string | undefined {
  if (vars === undefined || ofAttempt.includes(name) || vars.includes(name)) return undefined;
  return `there is no variable of this name.${didYouMean(name, [...ofAttempt, ...vars])}`;
}

/** Why the name stands for nothing, as a sentence. */
function dotted(name: string, step: StepOutline, scope: Scope): string | undefined {
  const [namespace = ''] = name.split('.', 1);
  const rest = name.slice(namespace.length + 1);
  // Told by a rule of its own.
  if (removedNamespaces.some((one) => one === namespace)) return undefined;
  if (namespace === 'gate') return sentence('the step', gateFault(step, rest));
  if (namespace === 'prev') return sentence('an attempt of this step', fieldFault(step, rest, ofPrevious));
  if (namespace === 'task') {
    return scope.inTask ? sentence('a task', taskFault(rest)) : 'there is no task outside of `each`.';
  }
  if (step.get !== undefined && namespace === lastSegment(step.get.path)) return undefined;
  return ofOtherStep(name, scope);
}

function sentence(subject: string, fieldFault: string | undefined): string | undefined {
  return fieldFault && `${subject} ${fieldFault}.`;
}

/** A step's name may hold dots itself, so every dot may be the one behind it. */
function ofOtherStep(name: string, scope: Scope): string | undefined {
  let why: string | undefined;
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const path = name.slice(0, dot);
    for (const folder of scope.folders) {
      const found = stepAt(folder, path.split('/'));
      if (found === undefined) continue;
      const wrong = fieldFault(found, name.slice(dot + 1));
      if (wrong === undefined) return undefined;
      why ??= `step \`${excerpt(path)}\` ${wrong}.`;
    }
  }
  const [path = ''] = name.split('.', 1);
  return why ?? `there is no step \`${excerpt(path)}\` here.${didYouMean(path, known(scope.folders))}`;
}

/** The step itself, or the group, call or split that the path leads into as far as it can be known. */
function stepAt(folder: Folder, [first = '', ...rest]: readonly string[]): StepOutline | undefined {
  if ('split' in folder)
    return rest.length === 0 ? undefined : stepAt(folderOf(folder.split.each ?? []), rest);
  const step = folder.steps.get(first);
  if (step === undefined || rest.length === 0 || step.kind === 'call') return step;
  if (step.kind === 'group') return stepAt(folderOf(step.steps ?? []), rest);
  return step.kind === 'split' ? stepAt({ split: step }, rest) : undefined;
}

// Enough to find what was meant, and no more than can be compared in no time.
const mostCompared = 200;

function known(near: readonly Folder[]): readonly string[] {
  return near.flatMap((one) => ('steps' in one ? [...one.steps.keys()] : [])).slice(0, mostCompared);
}
