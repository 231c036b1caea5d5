/** What this run is about: the pull request, the issue or the branch of its event, or what the input `subject` names. */
import { type Subject, subjectOf } from '../security/subject.js';
import type { ActionContext } from './action-context.js';
import { eventOf } from './event-checks.js';

/** The same in every job attempt of a run, because it depends on the event and the inputs only. */
export function subjectOfRun({ job, inputs }: Pick<ActionContext, 'job' | 'inputs'>): Subject {
  return subjectOf(eventOf({ job }), job.ref, inputs.subject);
}
