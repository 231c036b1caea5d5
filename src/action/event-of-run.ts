/** The values of template names that stand for the event of this run, for prompts and for commands. */
import type { EventValues } from '../engine/engine-ports.js';
import { createCommandVariables, type ReadCommandVariables } from '../event/command-variables.js';
import { createEventValues } from '../event/event-values.js';
import type { Plan } from '../plan/plan.js';
import { usedEventNames } from '../plan/used-names.js';
import type { Settings } from '../workflow/settings.js';
import type { ActionContext } from './action-context.js';
import { apiOptions, eventOf } from './event-checks.js';
import { commandSources } from './gate-runner.js';
import { subjectOfRun } from './run-subject.js';

export interface EventOfRun {
  readonly values: EventValues;
  readonly readVariables: ReadCommandVariables;
}

/** Sends no request until a name is needed. */
export function openEventOfRun(actionContext: ActionContext, plan: Plan, settings: Settings): EventOfRun {
  const { job, inputs } = actionContext;
  const commands = commandSources(inputs, settings).flatMap((source) => Object.values(source.commands));
  const used = usedEventNames(plan, commands);
  const values = createEventValues({
    event: eventOf(actionContext),
    subject: subjectOfRun(actionContext),
    runUrl: `${job.serverUrl}/${job.repository}/actions/runs/${job.runId}`,
    jobAttempt: job.jobAttempt,
    api: apiOptions(actionContext),
    includeComments: inputs.includeComments,
    allowedBots: inputs.allowedBots,
    used,
  });
  return { values, readVariables: createCommandVariables(values, used) };
}
