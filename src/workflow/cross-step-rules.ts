/** Rules between the steps of a workflow: unique names, and the session that each step resumes. */
import { type Diagnostic, problem, type Span } from './diagnostic.js';
import type { StepOutline } from './outline.js';
import { neverHasAgent } from './pass-rules.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';

/** Names that two sibling steps share. */
export function duplicateNameProblems(steps: readonly StepOutline[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return steps.flatMap(({ name }) => {
    if (name === undefined) return [];
    const isTaken = seen.has(name.value);
    seen.add(name.value);
    const message = `An earlier step has the name \`${excerpt(name.value)}\`. Rename one of them.`;
    return isTaken ? [problem('duplicate-step', name.at, message)] : [];
  });
}

/** `scope`: the steps of one session scope (S3), in the order in which they run. `all`: the names of all steps of the file. */
export function sessionTargetProblems(
  scope: readonly StepOutline[],
  all: ReadonlySet<string>,
): readonly Diagnostic[] {
  const earlier = new Map<string, StepOutline>();
  const inScope = new Map(scope.flatMap((step) => (step.name ? [[step.name.value, step] as const] : [])));
  return scope.flatMap((step) => {
    const found = sessionTargetProblem(step, { earlier, inScope, all });
    if (step.name !== undefined) earlier.set(step.name.value, step);
    return found;
  });
}

interface KnownSteps {
  /** Those of the scope that run before this step. */
  readonly earlier: ReadonlyMap<string, StepOutline>;
  readonly inScope: ReadonlyMap<string, StepOutline>;
  readonly all: ReadonlySet<string>;
}

function sessionTargetProblem(step: StepOutline, known: KnownSteps): readonly Diagnostic[] {
  if (step.session === undefined || step.session.value.mode === 'new') return [];
  const { at, value } = step.session;
  const { step: target, mode } = value;
  const shown = `\`${excerpt(target)}\``;
  const outOfScope = (message: string) => [
    problem(
      'session-out-of-scope',
      at,
      `${message}. The step always starts a new session. Name an earlier step with an agent, or remove \`session\`.`,
    ),
  ];
  // In an earlier run, every step of the scope has run before, also this one.
  const found = (mode === 'previous' ? known.inScope : known.earlier).get(target);
  if (found !== undefined) return noSessionReason(found).flatMap((why) => outOfScope(`Step ${shown} ${why}`));
  if (target === step.name?.value) return [fromItself(target, at)];
  if (known.inScope.has(target)) return outOfScope(`Step ${shown} runs after this one`);
  if (known.all.has(target)) return outOfScope(`Step ${shown} is in another session scope (${scopeRule})`);
  const names = mode === 'previous' ? 'Name a step of this workflow' : 'Name an earlier step';
  return [
    problem(
      'unknown-step',
      at,
      `\`from:\` names step ${shown}, which does not exist.${didYouMean(target, known.all) || ` ${names}.`}`,
    ),
  ];
}

function fromItself(name: string, at: Span): Diagnostic {
  const message =
    '`from:` names the step itself. Remove it: retries keep the session. ' +
    `To resume the session of an earlier run, write \`from: ${excerpt(name)} of previous run\`.`;
  return problem('session-from-itself', at, message);
}

const scopeRule = 'each task and each step of a parallel group has its own scope';

/** Why the step has no session; empty if it may have one. */
function noSessionReason(step: StepOutline): readonly string[] {
  if (step.kind === 'gates') return ['only runs gates and has no session'];
  if (step.kind === 'group') return ['is a group and has no session'];
  if (step.kind === 'call') return ['calls a workflow, whose sessions cannot be resumed here'];
  return neverHasAgent(step) ? ['runs no agent and has no session'] : [];
}
