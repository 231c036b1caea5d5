/** What must hold between the steps of a workflow: their names, and whose session each goes on with. */
import { type Diagnostic, problem } from './diagnostic.js';
import type { StepOutline } from './outline.js';
import { neverHasAgent } from './pass-rules.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';

/** Of steps that stand side by side. */
export function duplicateNameProblems(steps: readonly StepOutline[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return steps.flatMap(({ name }) => {
    if (name === undefined) return [];
    const isTaken = seen.has(name.value);
    seen.add(name.value);
    const message = `There is a step \`${excerpt(name.value)}\` before this one: give it another name.`;
    return isTaken ? [problem('duplicate-step', name.at, message)] : [];
  });
}

/** Of the steps of one scope (S3), in the order in which they run; `all`: the names of all steps of the file. */
export function sessionTargetProblems(
  scope: readonly StepOutline[],
  all: ReadonlySet<string>,
): readonly Diagnostic[] {
  const before = new Map<string, StepOutline>();
  const scopeNames = new Set(scope.flatMap(({ name }) => name?.value ?? []));
  return scope.flatMap((step) => {
    const found = sessionTargetProblem(step, before, scopeNames, all);
    if (step.name !== undefined) before.set(step.name.value, step);
    return found;
  });
}

function sessionTargetProblem(
  step: StepOutline,
  before: ReadonlyMap<string, StepOutline>,
  scopeNames: ReadonlySet<string>,
  all: ReadonlySet<string>,
): readonly Diagnostic[] {
  if (step.session?.value.mode !== 'from') return [];
  const target = step.session.value.step;
  const { at } = step.session;
  const shown = `\`${excerpt(target)}\``;
  const never = (message: string) => [
    problem('session-out-of-scope', at, `${message}, so the session is always new.`),
  ];
  const found = before.get(target);
  if (found !== undefined) return noSessionReason(found).flatMap((why) => never(`Step ${shown} ${why}`));
  if (target === step.name?.value) {
    const message = `Step ${shown} cannot go on from its own session; retries keep it anyway.`;
    return [problem('session-from-itself', at, message)];
  }
  if (scopeNames.has(target)) return never(`Step ${shown} runs only after this one`);
  if (all.has(target)) return never(`Step ${shown} is not in the same scope (${scopesSay})`);
  return [problem('unknown-step', at, `There is no step ${shown} to go on from.${didYouMean(target, all)}`)];
}

const scopesSay = 'the steps of one task, and each step of a parallel group, are on their own';

/** Why the step has none, if it has none. */
function noSessionReason(step: StepOutline): readonly string[] {
  if (step.kind === 'gates') return ['only runs gates and has no session'];
  if (step.kind === 'group') return ['is a group and has no session of its own'];
  if (step.kind === 'call') return ['calls a workflow, whose sessions are its own'];
  return neverHasAgent(step) ? ['runs no agent and has no session'] : [];
}
