/** The paths, scopes and parallel branches of planned steps, once the tasks of a split are known. Pure. */
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

/** Steps that see each other (S3): those of a workflow, of one task, or the one step of a parallel branch. */
export interface StepScope {
  /** What the paths of its steps begin with: empty, or with a `/` at the end. */
  readonly prefix: string;
  readonly steps: readonly PlannedStep[];
  readonly task?: Task;
  /** The files that its steps may change, and what happens if a step changes others. */
  readonly files?: { readonly patterns: readonly string[]; readonly mode: 'warn' | 'fail' };
  /** What the paths of the steps in its parallel branch begin with; empty outside parallel branches. */
  readonly branchPrefix: string;
  /** What the paths of the workflow's steps begin with: templates do not look further out. */
  readonly workflowPrefix: string;
  readonly sessionMatch: Workflow['sessionMatch'];
  /** The scope of the group, if this is a sequential group: its steps also see what the group sees. */
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

/** The scopes of the steps below a step. A split has one for each of `tasks`, in the order of the plan. */
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

/** The call with that role, made by the attempt with that number; `undefined` if the step has none. */
export function placeCall(placed: PlacedStep, role: CallRole, number: number): PlacedStep | undefined {
  const planned = placed.calls.find((call) => call.role === role)?.step;
  if (planned === undefined) return undefined;
  const { enclosing: _enclosing, files: _files, ...shared } = placed.scope;
  const scope = { ...shared, prefix: prefixBelow(placed.path), steps: [] };
  const name = callName(role, number);
  return { ...planned, name, path: callPath(placed.path, role, number), scope };
}

/** The tasks in the plan of a split; `undefined` until an attempt of its planner has passed. */
export function plannedTasks(step: StepState | undefined): readonly Task[] | undefined {
  const passed = step?.attempts.findLast((attempt) => attempt.status === 'passed');
  const tasks = passed === undefined ? undefined : readPlan(passed.output?.text);
  return typeof tasks === 'string' ? undefined : tasks;
}

/**
 * The recorded steps of tasks that are no longer in the plan of the split. If tasks run one after the other, a
 * recorded task also counts as such if the order of the tasks before it changed.
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
  const first = recorded.findIndex((slug, index) => slug !== planned[index]);
  const stale = isParallel
    ? recorded.filter((slug) => !planned.includes(slug))
    : recorded.slice(first < 0 ? recorded.length : first);
  return below.filter((one) => stale.includes(taskOf(one)));
}

/** Every step that is known so far, in the order in which they run; parallel branches in the order of the workflow. */
export function expandPlan(plan: Plan, state: RunState): readonly PlacedStep[] {
  return expandScope(rootScope(plan), state);
}

/** Every step below one step, in the same order. */
function expandStep(placed: PlacedStep, state: RunState): readonly PlacedStep[] {
  const tasks = placed.step.kind === 'split' ? (plannedTasks(state.steps.get(placed.path)) ?? []) : [];
  const called = startedCalls(placed, state).flatMap((call) => [call, ...expandStep(call, state)]);
  const inner = innerScopes(placed, tasks).flatMap((scope) => expandScope(scope, state));
  // The gates of a plan run before its tasks, those of a group after its steps.
  return placed.step.kind === 'split' ? [...called, ...inner] : [...inner, ...called];
}

/** The steps below a step, without those of workflows that attempts call: their results are not results of the step. */
export function innerStepsOf(placed: PlacedStep, state: RunState): readonly PlacedStep[] {
  return expandStep(placed, state).filter(({ path }) => !isInCall(path, placed.path));
}

/** The steps of a scope and all steps below them, without those of workflows that attempts call. */
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

/** The calls that its attempts have started, in their order. */
function startedCalls(placed: PlacedStep, state: RunState): readonly PlacedStep[] {
  if (placed.calls.length === 0) return [];
  const last = state.steps.get(placed.path)?.attempts.at(-1)?.number ?? 0;
  // The calls before an attempt start before the attempt is recorded, hence one more number.
  const numbers = Array.from({ length: last + 1 }, (_, index) => index + 1);
  return numbers.flatMap((number) =>
    placed.calls.flatMap(({ role }) => {
      const call = placeCall(placed, role, number);
      return call !== undefined && state.steps.has(call.path) ? [call] : [];
    }),
  );
}
