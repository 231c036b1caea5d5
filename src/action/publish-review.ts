/** `review: STEP`: posts the findings of a step as a review of the pull request. */
import { defined } from '../optional-keys.js';
import { postReview, type ReviewOutcome, type ReviewRequest } from '../publish/post-review.js';
import { resultOfStep, type StepResult } from '../report/result-of-step.js';
import { redactDeep } from '../security/redact.js';
import { textAt } from '../security/trust.js';
import { readLines } from '../workspace/count-lines.js';
import { openPublicationRecord, type PublicationRecord } from './publication-record.js';
import { attemptUrl, keyOfJob, openPublishApi } from './publish-place.js';
import { reportUnpublished } from './report-unpublished.js';
import type { PreparedRun, RunRequest } from './run-context.js';
import type { RunResult } from './run-result.js';
import { subjectOfRun } from './run-subject.js';

/**
 * Resolves with the result and what was published. Also posts if the run failed. Never rejects because of GitHub: a review
 * that cannot be posted is a warning.
 */
export async function publishReview(
  request: RunRequest,
  prepared: PreparedRun,
  result: RunResult,
): Promise<RunResult> {
  const { actionContext, signal } = request;
  const { inputs, job, log, redact } = actionContext;
  // A cancelled job has a few seconds, and they are for its state.
  if (inputs.review === undefined || signal.aborted) return result;
  const { pull } = subjectOfRun(actionContext);
  if (pull === undefined) {
    log.notice('No review was posted: the event of this run is not about a pull request.');
    return result;
  }
  const verdict = redactDeep(resultOfStep(result.state.steps.get(inputs.review)), redact);
  if (verdict?.findings === undefined) {
    log.notice(`No review was posted on #${pull}: step \`${inputs.review}\` has no verdict.`);
    return result;
  }
  const record = openPublicationRecord(prepared.journal, result.state, job.jobAttempt);
  const source = { pull, step: inputs.review, verdict, result };
  try {
    const reviewRequest = requestOf(request, source, record);
    const outcome = await postReview(await openPublishApi(actionContext), reviewRequest);
    return reportOutcome(request, prepared, { pull, outcome }, { ...result, state: record.state() });
  } catch (error) {
    reportUnpublished(actionContext, prepared, attemptOn(pull), error);
    return { ...result, state: record.state() };
  }
}

interface ReviewSource {
  readonly pull: number;
  readonly step: string;
  readonly verdict: StepResult;
  readonly result: RunResult;
}

function requestOf(
  { actionContext, plan, workspace }: RunRequest,
  { pull, step, verdict, result }: ReviewSource,
  record: PublicationRecord,
): ReviewRequest {
  const { findings = [], comments } = verdict;
  const texts = { workflow: plan.workflow, step, runUrl: attemptUrl(actionContext) };
  return {
    pull,
    key: keyOfJob(actionContext, step),
    texts: { ...texts, ...defined({ comments }) },
    findings,
    isIncomplete: verdict.pass === false && findings.length === 0,
    candidates: reviewedCommits(actionContext.job.payload(), result),
    checkout: result.startCommit,
    readCode: ({ path, line, endLine = line }) => readLines(workspace.root, path, line, endLine),
    wasPosted: (content) =>
      result.state.published.some((one) => one.kind === 'review' && one.content === content),
    onIntent: (content) => record.intend('review', content),
    onPosted: (content, url) => record.done('review', content, { url }),
  };
}

/** What the run pushed is newer than its checkout, which is often a merge commit and no commit of the pull request. */
function reviewedCommits(payload: unknown, { state, startCommit }: RunResult): readonly string[] {
  const pushed = state.published.findLast(({ kind }) => kind === 'push')?.commit;
  const ofEvent = textAt(payload, 'pull_request', 'head', 'sha');
  const ofRun = textAt(payload, 'workflow_run', 'head_sha');
  return [...new Set([pushed, ofEvent, startCommit, ofRun].filter((one) => one !== undefined))];
}

function attemptOn(number: number) {
  return { what: 'The review', number, permission: 'pull-requests: write' };
}

function reportOutcome(
  { actionContext }: RunRequest,
  prepared: PreparedRun,
  { pull, outcome }: { readonly pull: number; readonly outcome: ReviewOutcome },
  result: RunResult,
): RunResult {
  const { log } = actionContext;
  const { url, inline, inBody, known, fixed, unresolved, error } = outcome;
  const facts = [
    ...(url === undefined ? [] : [`${inline + inBody} new`]),
    ...(known === 0 ? [] : [`${known} already posted`]),
    ...(fixed === 0 ? [] : [`${fixed} fixed`]),
  ];
  const text = facts.length === 0 ? 'no findings' : facts.join(', ');
  log.info(`Review of #${pull}: ${text}${url === undefined ? '' : ` (${url})`}`);
  if (unresolved > 0)
    log.notice(
      `${unresolved} fixed ${unresolved === 1 ? 'finding is' : 'findings are'} marked on #${pull}, but not resolved: GitHub lets the token of a job resolve threads only with \`contents: write\`.`,
    );
  if (error !== undefined)
    reportUnpublished(
      actionContext,
      prepared,
      { ...attemptOn(pull), what: 'The mark of a fixed finding' },
      error,
    );
  const link = url === undefined ? 'Review' : `[Review](${url})`;
  return { ...result, published: [...(result.published ?? []), `${link}: ${text}`] };
}
