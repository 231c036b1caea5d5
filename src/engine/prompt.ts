/**
 * The complete text that an agent gets: the rendered prompt and what must be added to it. The action never changes
 * the user's own instruction files, so everything that the agent must know is in this text.
 */

export interface PromptParts {
  readonly body: string;
  /** Files and the output of commands, one part each. */
  readonly context: readonly string[];
  /** What the step must write below `.gump/out`. */
  readonly contract?: string;
  /** What is to be said about an earlier run on the same subject. */
  readonly earlierRun?: string;
  /** The failure of the previous attempt. Absent if the prompt itself contains it. */
  readonly failure?: PreviousFailure;
  /** The attempt was interrupted and continues. */
  readonly interruption?: Interruption;
  /** The worktree was restored to its state before the step. */
  readonly wasReset: boolean;
}

export interface PreviousFailure {
  readonly number: number;
  readonly message: string;
  /** The text of `{error}`: the output of the gates. */
  readonly error: string;
  /** The text of `{diff}`: the changes of the step, shortened if necessary. */
  readonly diff: string;
}

export interface Interruption {
  /** Top-level names that git ignores, that were present before and are missing now. */
  readonly missing: readonly string[];
  /** The session could not be resumed, so the agent does not remember the work. */
  readonly isNewSession: boolean;
}

export function composePrompt(parts: PromptParts): string {
  const sections = [
    parts.body.trimEnd(),
    ...parts.context,
    parts.contract,
    parts.earlierRun,
    parts.interruption === undefined ? undefined : interruptionNote(parts.interruption),
    parts.failure === undefined ? undefined : failureNote(parts.failure),
    parts.wasReset ? resetNote : undefined,
  ];
  return `${sections.filter((section) => section !== undefined && section !== '').join('\n\n---\n\n')}\n`;
}

/** The prompt in a session that already contains the task, after the model service refused for some time. */
export const resumeAfterRefusalNote =
  'The model service refused requests for some time. It is available again. Your work so far is unchanged. Continue where you stopped, and finish the task.\n';

const resetNote =
  'The working directory was restored to its state before this step. Files that earlier attempts of this step wrote are removed.';

const resumedNote =
  'You were interrupted, and this task now continues on another machine. Your files are restored from the last snapshot. Your latest changes may be missing, and processes that you started are no longer running. Check the files, then finish the task.';

const restartedNote =
  'An earlier attempt at this task was interrupted, and its session could not be resumed. Files that it wrote may already be present. Check the files before you start over, then finish the task.';

function interruptionNote({ missing, isNewSession }: Interruption): string {
  const note = isNewSession ? restartedNote : resumedNote;
  if (missing.length === 0) return note;
  return `${note}\nThese files and directories were present before and are missing now: ${missing.join(', ')}. Create them again if you need them.`;
}

function failureNote(failure: PreviousFailure): string {
  const lines = [`Attempt ${failure.number} at this task failed: ${failure.message}`];
  if (failure.error !== '') lines.push('', 'Reported errors:', failure.error.trimEnd());
  if (failure.diff !== '') lines.push('', 'Changes made in this step so far:', failure.diff.trimEnd());
  lines.push('', 'Fix the problem and finish the task.');
  return lines.join('\n');
}
