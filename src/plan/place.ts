/** Where planned steps stand once the tasks of a split are known: their paths and their scopes. Pure. */
import type { RunState, StepState } from '../journal/state.js';
import { readPlan, type Task } from '../outputs/plan-file.js';
import type { Plan, PlannedStep } from './plan.js';

/** The steps that see each other (S3): those of the workflow, or those of one task. */
export interface Scope {
  /** What the paths of its steps begin with: empty, or with a `/` at the end. */
  readonly prefix: string;
  readonly steps: readonly PlannedStep[];
  readonly task?: Task;
}

export interface PlacedStep extends PlannedStep {
  /** Names joined by `/`: `impl`, `build/a/impl`. */
  readonly path: string;
  readonly scope: Scope;
}

export function rootScope(plan: Plan): Scope {
  return { prefix: '', steps: plan.steps };
}

export function place(planned: PlannedStep, scope: Scope): PlacedStep {
  return { ...planned, path: `${scope.prefix}${planned.name}`, scope };
}

/** The scopes of a split's tasks, in the order of the plan. */
export function taskScopes(split: PlacedStep, tasks: readonly Task[]): readonly Scope[] {
  return tasks.map((task) => ({ prefix: `${split.path}/${task.slug}/`, steps: split.each, task }));
}

/** The tasks that a split's agent has planned, once one of its attempts has passed. */
export function plannedTasks(step: StepState | undefined): readonly Task[] | undefined {
  const passed = step?.attempts.findLast((attempt) => attempt.status === 'passed');
  const tasks = passed === undefined ? undefined : readPlan(passed.output?.text);
  return typeof tasks === 'string' ? undefined : tasks;
}

/** Every step that is known to come, in the order in which they run. */
export function expand(plan: Plan, state: RunState): readonly PlacedStep[] {
  return expandScope(rootScope(plan), state);
}

function expandScope(scope: Scope, state: RunState): readonly PlacedStep[] {
  return scope.steps.flatMap((planned) => {
    const placed = place(planned, scope);
    const tasks = planned.step.kind === 'split' ? (plannedTasks(state.steps.get(placed.path)) ?? []) : [];
    return [placed, ...taskScopes(placed, tasks).flatMap((inner) => expandScope(inner, state))];
  });
}
