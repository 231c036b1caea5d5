/** The result of a step, from the same fold as everything else. Pure. */
import type { Attempt, RunState, StepState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { Finding } from '../outputs/findings.js';
import { readPlan, type Task } from '../outputs/plan-file.js';
import { readVerdict } from '../outputs/verdict-file.js';

export interface StepResult {
  /** The text of an `artifact` step, or the final message of the agent of a `code` step. */
  readonly text?: string;
  /** The verdict of a `validate` step. */
  readonly pass?: boolean;
  readonly comments?: string;
  readonly findings?: readonly Finding[];
  /** The plan of a `split` step. */
  readonly tasks?: readonly Omit<Task, 'slug'>[];
}

/**
 * The result of the attempt that passed. A step that failed or waits has that of its last attempt: a negative verdict
 * and a plan that waits for approval are what people want to read. `undefined` if there is none.
 */
export function resultOfStep(step: StepState | undefined): StepResult | undefined {
  const attempt =
    step?.status === 'passed'
      ? step.attempts.findLast(({ status }) => status === 'passed')
      : step?.attempts.at(-1);
  return attempt === undefined ? undefined : resultOfAttempt(attempt);
}

function resultOfAttempt({ output, text, findings = [] }: Attempt): StepResult | undefined {
  switch (output?.name) {
    case 'artifact.txt':
      return { text: output.text };
    case 'validate.json': {
      const verdict = readVerdict(output.text);
      return typeof verdict === 'string' ? undefined : { ...verdict, findings };
    }
    case 'plan.json': {
      const tasks = readPlan(output.text);
      if (typeof tasks === 'string') return undefined;
      return { tasks: tasks.map(({ name, description, files }) => ({ name, description, files })) };
    }
    default:
      return text === undefined ? undefined : defined({ text });
  }
}

/** Path of the step → its result. */
export function resultsOf(state: RunState): ReadonlyMap<string, StepResult> {
  return new Map(
    [...state.steps.values()].flatMap((step) => {
      const result = resultOfStep(step);
      return result === undefined ? [] : [[step.path, result] as const];
    }),
  );
}

/** The result as one text: a plan is a list of its tasks, a verdict its comments. */
export function resultText({ text, comments, tasks }: StepResult): string {
  return text ?? comments ?? (tasks ?? []).map(taskText).join('\n');
}

function taskText({ name, description, files }: Omit<Task, 'slug'>, index: number): string {
  const what = description.trim() === '' ? '' : `: ${description.trim().replace(/\n/g, '\n   ')}`;
  const where = files.length === 0 ? '' : `\n   Files: ${files.join(', ')}`;
  return `${index + 1}. ${name}${what}${where}`;
}
