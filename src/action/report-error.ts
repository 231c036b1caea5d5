/** Reports an error that ended a phase: in the log, the summary, the outputs and the report. */
import { existsSync } from 'node:fs';
import { UserError, UserErrors } from '../failure.js';
import { escapeText } from '../report/summary.js';
import { stepFilesOf } from '../security/step-files.js';
import type { Environment } from '../system/environment.js';
import { currentLog } from './action-context.js';
import { privatePaths } from './post-state.js';
import { writeUnstartedRun } from './run-result.js';

/** A `UserError` is reported as it is. Any other error is internal and is reported with its stack. */
export function reportError(error: unknown, environment: Environment, privateDirectory: string): void {
  const { log, redact } = currentLog();
  const problems = error instanceof UserErrors ? error.problems : [messageOf(error)];
  for (const problem of problems) log.error(problem);
  if (!(error instanceof UserError))
    log.info(`Internal error in gump-action. ${error instanceof Error ? error.stack : ''}`);
  log.close();
  const what = error instanceof UserError ? 'nothing ran' : 'ended with an internal error';
  const list = problems.map((problem) => `- ${escapeText(redact(problem))}`).join('\n');
  const { report } = privatePaths(privateDirectory);
  const hasReport = privateDirectory !== '' && existsSync(report);
  const unstarted = {
    status: 'failed' as const,
    workflow: redact(environment.INPUT_WORKFLOW ?? ''),
    runId: environment.GITHUB_RUN_ID ?? '',
    jobAttempt: Number(environment.GITHUB_RUN_ATTEMPT ?? 1),
    hasReport,
    ...(privateDirectory === '' || hasReport ? {} : { report }),
    summary: `### gump-action: ${what}\n\n${list}\n`,
  };
  writeUnstartedRun(unstarted, stepFilesOf(environment), log);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
