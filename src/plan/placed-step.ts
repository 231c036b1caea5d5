/** Where planned steps stand once the tasks of a split are known: their paths, scopes and lanes. Pure. */
import type { RunState, StepState } from '../journal/run-state.js';
import { readPlan, type Task } from '../outputs/plan-file.js';
import {
  type CallRole,
  callName,
  callPath,
  isBelow,
  isInCall,
  nameBelow,
  pathOf,
  prefixBelow,
} from '../step-path.js';
import type { Workflow } from '../workflow/workflow.js';
import type { Plan, PlannedStep } from './plan.js';

/** The steps that see each other (S3): those of a workflow, of one task, or one unit alone. */
export interface StepScope {
  /** What the paths of its steps begin with: empty, or with a `/` at the end. */
  readonly prefix: string;
  readonly steps: readonly PlannedStep[];
  readonly task?: Task;
  /** The files that its steps are meant to keep to, and what becomes of one that does not. */
  readonly files?: { readonly patterns: readonly string[]; readonly mode: 'warn' | 'fail' };
  /** The parallel unit that it is, or is a part of: what the paths of its steps begin with; empty: none. */
  readonly branchPrefix: string;
  /** What the paths of the workflow's steps begin with: templates look no further out. */
  readonly workflowPrefix: string;
  readonly sessionMatch: Workflow['sessionMatch'];
  /** Of a group whose steps run one after the other: where the group stands; its steps are as good as there. */
  readonly enclosing?: StepScope;
}

export interface PlacedStep extends PlannedStep {
  /** Names joined by `/`: `impl`, `build/a/impl`. */
  readonly path: string;
  readonly scope: StepScope;
}

export function rootScope({ steps, sessionMatch }: Plan): StepScope {
  return { prefix: '', steps, branchPrefix: '', workflowPrefix: '', sessionMatch };
}

export function placeStep(planned: PlannedStep, scope: StepScope): PlacedStep {
  return { ...planned, path: pathOf(scope.prefix, planned.name), scope };
}

/** The scopes below a step that has steps below it; of a split those of `tasks`, in the order of the plan. */
export function innerScopes(placed: PlacedStep, tasks: readonly Task[]): readonly StepScope[] {
  const { step, inner, path, scope } = placed;
  const prefix = prefixBelow(path);
  if (step.kind === 'split') return tasks.map((task) => taskScope(placed, task));
  if (step.kind === 'call') {
    const { enclosing: _enclosing, ...shared } = scope;
    return [
      {
        ...shared,
        prefix,
        steps: inner,
        workflowPrefix: prefix,
        sessionMatch: step.call.workflow.sessionMatch,
      },
    ];
  }
  if (step.kind !== 'group') return [];
  if (!step.parallel) return [{ ...scope, prefix, steps: inner, enclosing: scope }];
  return inner.map((one) => {
    const { enclosing: _enclosing, ...shared } = scope;
    return { ...shared, prefix, steps: [one], branchPrefix: prefixBelow(pathOf(prefix, one.name)) };
  });
}

function taskScope({ step, inner, path, scope }: PlacedStep, task: Task): StepScope {
  const { enclosing: _enclosing, files: _files, ...shared } = scope;
  const prefix = prefixBelow(pathOf(prefixBelow(path), task.slug));
  const own = { ...shared, prefix, steps: inner, task };
  const isSplit = step.kind === 'split';
  const branchPrefix = isSplit && step.parallel ? prefix : scope.branchPrefix;
  const mode = isSplit ? step.files : 'off';
  if (mode === 'off' || task.files.length === 0) return { ...own, branchPrefix };
  return { ...own, branchPrefix, files: { patterns: task.files, mode } };
}

/** The call of that role as the attempt of that number makes it; `undefined`: the step has none. */
export function placeCall(placed: PlacedStep, role: CallRole, number: number): PlacedStep | undefined {
  const planned = placed.calls.find((call) => call.role === role)?.step;
  if (planned === undefined) return undefined;
  const { enclosing: _enclosing, files: _files, ...shared } = placed.scope;
  const scope = { ...shared, prefix: prefixBelow(placed.path), steps: [] };
  const name = callName(role, number);
  return { ...planned, name, path: callPath(placed.path, role, number), scope };
}

/** The tasks that a split's agent has planned, once one of its attempts has passed. */
export function plannedTasks(step: StepState | undefined): readonly Task[] | undefined {
  const passed = step?.attempts.findLast((attempt) => attempt.status === 'passed');
  const tasks = passed === undefined ? undefined : readPlan(passed.output?.text);
  return typeof tasks === 'string' ? undefined : tasks;
}

/**
 * What is recorded of tasks that the split does not plan any more: those of a former plan. In turn, a task keeps its
 * place only as long as those before it keep theirs.
 */
export function findUnplannedSteps(
  state: RunState,
  { path, step }: PlacedStep,
  tasks: readonly Task[],
): readonly string[] {
  const taskOf = (one: string) => nameBelow(one, path);
  const below = [...state.steps.keys()].filter((one) => isBelow(one, path) && !isInCall(taskOf(one)));
  const planned = tasks.map(({ slug }) => slug);
  const recorded = [...new Set(below.map(taskOf))];
  const isParallel = step.kind === 'split' && step.parallel;
  const first = recorded.findIndex((slug, place) => slug !== planned[place]);
  const stale = isParallel
    ? recorded.filter((slug) => !planned.includes(slug))
    : recorded.slice(first < 0 ? recorded.length : first);
  return below.filter((one) => stale.includes(taskOf(one)));
}

/** Every step that is known to come, in the order in which they run; units in their order. */
export function expandPlan(plan: Plan, state: RunState): readonly PlacedStep[] {
  return expandScope(rootScope(plan), state);
}

/** The same below one step, without that step. */
export function expandStep(placed: PlacedStep, state: RunState): readonly PlacedStep[] {
  const tasks = placed.step.kind === 'split' ? (plannedTasks(state.steps.get(placed.path)) ?? []) : [];
  const called = startedCalls(placed, state).flatMap((call) => [call, ...expandStep(call, state)]);
  const inner = innerScopes(placed, tasks).flatMap((scope) => expandScope(scope, state));
  // A plan is judged before its tasks begin, a group when its steps are done.
  return placed.step.kind === 'split' ? [...called, ...inner] : [...inner, ...called];
}

/** The same without what attempts have called: whether that has passed says nothing of the steps themselves. */
export function innerStepsOf(placed: PlacedStep, state: RunState): readonly PlacedStep[] {
  return expandStep(placed, state).filter(({ path }) => !isInCall(path, placed.path));
}

/** The steps of a scope and all below them, without what attempts have called. */
export function stepsInScope(scope: StepScope, state: RunState): readonly PlacedStep[] {
  return scope.steps
    .map((planned) => placeStep(planned, scope))
    .flatMap((placed) => [placed, ...innerStepsOf(placed, state)]);
}

function expandScope(scope: StepScope, state: RunState): readonly PlacedStep[] {
  return scope.steps.flatMap((planned) => {
    const placed = placeStep(planned, scope);
    return [placed, ...expandStep(placed, state)];
  });
}

/** Those of the calls of its attempts that were begun, in their order. */
function startedCalls(placed: PlacedStep, state: RunState): readonly PlacedStep[] {
  if (placed.calls.length === 0) return [];
  const last = state.steps.get(placed.path)?.attempts.at(-1)?.number ?? 0;
  // What comes before an attempt is called before that attempt is written down.
  const numbers = Array.from({ length: last + 1 }, (_, index) => index + 1);
  return numbers.flatMap((number) =>
    placed.calls.flatMap(({ role }) => {
      const call = placeCall(placed, role, number);
      return call !== undefined && state.steps.has(call.path) ? [call] : [];
    }),
  );
}
