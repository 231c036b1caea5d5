/** Reports an error that ended a phase: in the log, the summary, the outputs and the report. */
import { existsSync } from 'node:fs';
import { UserError, UserErrors } from '../failure.js';
import { helpLink } from '../report/help-link.js';
import { codeBlock, escapeText } from '../report/summary.js';
import { stepFilesOf } from '../security/step-files.js';
import type { Environment } from '../system/environment.js';
import { currentLog } from './action-context.js';
import { privatePaths } from './post-state.js';
import { writeUnstartedRun } from './run-result.js';

/** A `UserError` is reported as it is. Any other error is internal and is reported with its stack. */
export function reportError(error: unknown, environment: Environment, privateDirectory: string): void {
  const { log, redact } = currentLog();
  const { problems, reported } =
    error instanceof UserErrors ? error : { problems: [messageOf(error)], reported: [] };
  for (const problem of problems) log.error(problem);
  if (!(error instanceof UserError))
    log.info(`Internal error in gump-action. ${error instanceof Error ? error.stack : ''}`);
  log.close();
  const what = error instanceof UserError ? 'nothing ran' : 'ended with an internal error';
  const list = [...reported, ...problems]
    .map((problem) => problemText(redact(problem), helpLink(problem, environment)))
    .join('\n');
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

/** A problem of a file has a source line with a caret, which only a block shows in the right place. */
function problemText(problem: string, help: string | undefined): string {
  const [head = '', ...more] = problem.split('\n');
  const link = help === undefined ? '' : ` ([help](${help}))`;
  if (!more.some((line) => /^ +\| *\^+$/.test(line))) return `- ${escapeText(problem)}${link}`;
  const block = codeBlock(more.join('\n')).replaceAll(/^/gm, '  ');
  return `- ${escapeText(head)}${link}\n\n${block}\n`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
