/**
 * The one error of a run that waits. Its title says when a re-run continues, and its last line is the mark that the
 * action in `resume/` reads.
 */
import type { Failure } from '../failure.js';
import type { WaitReason } from '../journal/event.js';
import type { Log } from '../report/log.js';
import { rerunNote, stepSentence } from '../report/rerun.js';
import { resumeTitle, writeResumeMark } from '../report/resume-mark.js';
import { runProgress } from '../report/run-progress.js';
import type { RunResult } from './run-result.js';

/** Of the words of a CLI, in characters. What a re-run does must stay in the annotation, which GitHub cuts. */
const maxReason = 1500;

export function reportWait(log: Log, result: RunResult): void {
  const { reason = 'limit', resumeAt: at = result.now } = result.state.runEnded ?? {};
  const mark = writeResumeMark({ reason, at, progress: runProgress(result.state) });
  log.error(`${sentenceOf(result, reason)} ${rerunNote(result)}`, { title: resumeTitle(at) }, mark);
}

function sentenceOf(result: RunResult, reason: WaitReason): string {
  const { steps, runEnded } = result.state;
  if (reason === 'cancelled') return stepSentence(result, 'was interrupted', undefined);
  if (reason === 'time') return stepSentence(result, 'was stopped', runEnded?.failure);
  const last = steps.get(result.failedStep ?? '')?.attempts.at(-1);
  const refusal = last?.failure?.resumeAt === undefined ? undefined : last.failure;
  return stepSentence(result, 'waits for the model service', refusal && shortened(refusal));
}

function shortened(failure: Failure): Failure {
  const { message } = failure;
  return message.length <= maxReason ? failure : { ...failure, message: `${message.slice(0, maxReason)}…` };
}
