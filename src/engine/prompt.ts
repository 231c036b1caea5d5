/**
 * The whole text an agent is given (contract 5.3): the rendered prompt and what must be added to it. The
 * user's own instruction files are never touched, so everything the agent has to know stands here.
 */

export interface PromptParts {
  readonly body: string;
  /** Files and what commands print, each a part of its own. */
  readonly context: readonly string[];
  /** What the step has to leave under `.gump/out`. */
  readonly contract?: string;
  /** The attempt before this one failed; absent where the prompt speaks of it itself. */
  readonly failure?: PreviousFailure;
  /** The attempt was cut off and goes on. */
  readonly interruption?: Interruption;
  /** The work tree was put back to where the step began. */
  readonly wasReset: boolean;
}

export interface PreviousFailure {
  readonly number: number;
  readonly message: string;
  /** `{error}`: what the gates said. */
  readonly error: string;
  /** Of `{diff}`, what the step had changed: as much as may be told. */
  readonly diff: string;
}

export interface Interruption {
  /** Top-level ignored names that were there before and are not now. */
  readonly missing: readonly string[];
  /** The conversation could not be kept; the agent does not remember the work. */
  readonly isNewSession: boolean;
}

export function composePrompt(parts: PromptParts): string {
  const sections = [
    parts.body.trimEnd(),
    ...parts.context,
    parts.contract,
    parts.interruption === undefined ? undefined : interruptionNote(parts.interruption),
    parts.failure === undefined ? undefined : failureNote(parts.failure),
    parts.wasReset ? resetNote : undefined,
  ];
  return `${sections.filter((section) => section !== undefined && section !== '').join('\n\n---\n\n')}\n`;
}

/** What the agent is told in a conversation that holds its task already and was broken off by the model service. */
export const resumeAfterRefusalNote =
  'The model service refused to answer for a while and does again. Your work so far stands: go on where you stopped, and finish the task.\n';

const resetNote =
  'The working directory has been put back to the state it had before this step began: files written by earlier attempts of this step are gone.';

function interruptionNote(interruption: Interruption): string {
  const machine = interruption.isNewSession
    ? 'An earlier attempt at this task was cut off before it ended, and its conversation could not be kept. Files it had written may already be here: look before you start over.'
    : 'You were interrupted: the machine stopped in the middle of this task, and you go on on another one. The files you had written are here as they were last recorded; the last thing you did may be missing, and no process you had started runs any more. Look at the files, then finish the task.';
  if (interruption.missing.length === 0) return machine;
  return `${machine}\nThese were there before and are not now: ${interruption.missing.join(', ')}. Make them again if you need them.`;
}

function failureNote(failure: PreviousFailure): string {
  const lines = [`Attempt ${failure.number} at this task did not pass: ${failure.message}`];
  if (failure.error !== '') lines.push('', 'What was reported:', failure.error.trimEnd());
  if (failure.diff !== '')
    lines.push('', 'What has been changed so far, from the start of this step:', failure.diff.trimEnd());
  lines.push('', 'Mend what is wrong and finish the task.');
  return lines.join('\n');
}
