/** Runs the action in `resume/`: reads its inputs, does one round, and reports it. Starts no process, reads no checkout. */
import { problemsOf, UserError } from '../failure.js';
import { openGitHubApi } from '../github/github-api.js';
import { createGetInput } from '../inputs/input-reader.js';
import { type Job, readJob } from '../job.js';
import { createLog, type Log, standardOutput } from '../report/log.js';
import { escapeMessage } from '../report/markdown-text.js';
import { createRedactor, type Redactor } from '../security/redact.js';
import { type StepFiles, stepFilesOf } from '../security/step-files.js';
import { systemClock } from '../system/clock.js';
import type { Environment } from '../system/environment.js';
import { createGitHubRuns } from './github-runs.js';
import { type ResumeInputs, readResumeInputs } from './resume-inputs.js';
import { type RoundResult, resumeRuns } from './resume-round.js';
import { roundSummary } from './round-summary.js';
import { nextTime, permissionText, rerunIds, roundWarnings, runTexts } from './round-text.js';
import { SourceError } from './run-source.js';

/** Resolves with the exit code of the step. */
export async function resumeMain(environment: Environment): Promise<number> {
  const get = createGetInput(environment);
  const redact = createRedactor([get('github-token').trim()]);
  const log = createLog({ ...standardOutput(), redact, isDebug: environment.RUNNER_DEBUG === '1' });
  const report = { log, redact, stepFiles: stepFilesOf(environment) };
  try {
    return await runRound(environment, readJob(environment), readResumeInputs(get), report);
  } catch (error) {
    return reportProblems(error, report);
  }
}

interface RoundReport {
  readonly log: Log;
  readonly redact: Redactor;
  readonly stepFiles: StepFiles;
}

async function runRound(
  environment: Environment,
  job: Job,
  inputs: ResumeInputs,
  report: RoundReport,
): Promise<number> {
  const { repository, apiUrl, serverUrl } = job;
  const api = await openGitHubApi({ repository, token: inputs.githubToken, apiUrl });
  const result = await resumeRuns({
    source: createGitHubRuns(api),
    clock: systemClock,
    inputs,
    ownPath: workflowPath(job),
    actionRepository: environment.GITHUB_ACTION_REPOSITORY || undefined,
  });
  printRound(result, inputs, report.log);
  const facts = {
    result,
    rules: inputs,
    isDryRun: inputs.dryRun,
    repositoryUrl: `${serverUrl}/${repository}`,
  };
  writeResults(report, roundSummary(facts), {
    resumed: JSON.stringify(rerunIds(result)),
    next: nextTime(result) ?? '',
  });
  if (result.stop?.stoppedBy !== 'permission') return 0;
  report.log.error(permissionText(result.stop));
  return 1;
}

/** `owner/name/.github/workflows/file.yml@ref` without its repository and ref. */
function workflowPath({ repository, workflowRef }: Job): string {
  return workflowRef.replace(/@.*$/, '').replace(`${repository}/`, '');
}

function printRound(result: RoundResult, inputs: ResumeInputs, log: Log): void {
  log.info(`Failed and cancelled runs: ${result.runs.length + result.unread}`);
  for (const one of result.runs) {
    const { name, number, id, attempt } = one.run;
    const { result: done, why } = runTexts(one, inputs);
    log.info(`Run ${id} (${name} #${number}, job attempt ${attempt}): ${done} (${why})`);
  }
  for (const warning of roundWarnings(result)) log.warning(warning);
}

function writeResults(
  { log, redact, stepFiles }: RoundReport,
  summary: string,
  outputs: Readonly<Record<string, string>>,
): void {
  try {
    for (const [name, value] of Object.entries(outputs)) stepFiles.setOutput(name, value);
    stepFiles.setSummary(redact(summary));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warning(
      `The outputs and the summary could not be written (${reason}). Check what the runner user may write below RUNNER_TEMP.`,
    );
  }
}

/** Everything that ends the action before or in its round. Any other error is one of the action itself. */
function reportProblems(error: unknown, report: RoundReport): number {
  const problems =
    error instanceof SourceError ? [`${error.message}. Nothing was re-run.`] : userProblems(error);
  for (const problem of problems) report.log.error(problem);
  if (!(error instanceof UserError) && !(error instanceof SourceError))
    report.log.info(`Internal error in gump-action. ${error instanceof Error ? error.stack : ''}`);
  const list = problems.map((problem) => `- ${escapeMessage(problem)}`).join('\n');
  writeResults(report, `### gump-action/resume: nothing was re-run\n\n${list}\n`, {
    resumed: '[]',
    next: '',
  });
  return 1;
}

function userProblems(error: unknown): readonly string[] {
  if (error instanceof UserError) return problemsOf(error);
  return [error instanceof Error ? error.message : String(error)];
}
