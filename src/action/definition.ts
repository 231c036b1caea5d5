/** What the repository defines for the run: the project's settings and the workflow. */

import { eventNamespacesOf } from '../event/event-subject.js';
import { problemsOf, UserErrors } from '../failure.js';
import { defined } from '../optional-keys.js';
import type { Log } from '../report/log.js';
import type { Settings } from '../workflow/settings.js';
import type { Workflow } from '../workflow/workflow.js';
import type { ActionContext } from './action-context.js';
import { eventOf } from './event-checks.js';
import { subjectOfRun } from './run-subject.js';
import { findSettings } from './settings-file.js';
import { readWorkflow } from './workflow-file.js';

export interface RunDefinition {
  readonly settings: Settings;
  readonly workflow: Workflow;
  /** The warnings from reading both, each with its location. */
  readonly warnings: readonly string[];
}

/** @throws UserErrors with all problems of both, if either is invalid. */
export function readRunDefinition(actionContext: ActionContext, directory: string): RunDefinition {
  const warnings: string[] = [];
  const log = recordWarnings(actionContext.log, warnings);
  const { workspace } = actionContext.job;
  const { settings, problems } = findSettings({
    directory,
    workspace,
    providers: actionContext.providers,
    log,
  });
  const read = collectProblems(() =>
    readWorkflow({
      name: actionContext.inputs.workflow,
      directory,
      workspace,
      providers: actionContext.providers.map(({ id }) => id),
      vars: Object.keys(actionContext.inputs.vars),
      eventNamespaces: eventNamespacesOf(eventOf(actionContext), subjectOfRun(actionContext)),
      log,
      ...defined({ defaultAgent: settings.defaultAgent }),
    }),
  );
  if (problems.length > 0 || read.value === undefined)
    throw new UserErrors(read.problems, [...problems, ...read.reported]);
  return { settings, workflow: read.value, warnings };
}

/** The same log, which also collects the warnings. */
function recordWarnings(log: Log, warnings: string[]): Log {
  return {
    ...log,
    warning(message, place) {
      warnings.push(message);
      log.warning(message, place);
    },
  };
}

interface ValueOrProblems<T> {
  readonly value?: T;
  readonly problems: readonly string[];
  /** Those that the log has already. */
  readonly reported: readonly string[];
}

/** The result of `work`, or the problems that the user must fix. */
export function collectProblems<T>(work: () => T): ValueOrProblems<T> {
  try {
    return { value: work(), problems: [], reported: [] };
  } catch (error) {
    const problems = problemsOf(error);
    return { problems, reported: error instanceof UserErrors ? error.reported : [] };
  }
}
