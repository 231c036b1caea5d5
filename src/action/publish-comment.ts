/** `comment: on-failure | always`: one comment on the pull request or the issue of the run, updated in place. */
import { setTimeout as delay } from 'node:timers/promises';
import { defined } from '../optional-keys.js';
import { type CommentFacts, commentText } from '../publish/comment-text.js';
import { shortHash } from '../publish/publication-marker.js';
import { postStickyComment } from '../publish/sticky-comment.js';
import { gateLabelsOf } from '../report/gate-labels.js';
import { makeReport } from '../report/report.js';
import type { ActionContext } from './action-context.js';
import { openPublicationRecord } from './publication-record.js';
import { attemptUrl, keyOfJob, openPublishApi, repositoryUrl } from './publish-place.js';
import { reportUnpublished } from './report-unpublished.js';
import type { PreparedRun, RunRequest } from './run-context.js';
import { nextStepText, type RunResult } from './run-result.js';
import { subjectOfRun } from './run-subject.js';

/** A cancelled job ends after 10 s, and its state comes first. */
const maxCancelledMs = 3_000;

/**
 * Resolves with the result and what was published. Never rejects because of GitHub: a comment that cannot be posted is a
 * warning.
 */
export async function publishComment(
  request: RunRequest,
  prepared: PreparedRun,
  result: RunResult,
): Promise<RunResult> {
  const { actionContext, signal } = request;
  const { inputs, job, log } = actionContext;
  if (inputs.comment === 'never') return result;
  const { pull, issue } = subjectOfRun(actionContext);
  const number = pull ?? issue;
  if (number === undefined) {
    log.notice('No comment was posted: the event of this run is not about a pull request or an issue.');
    return result;
  }
  const record = openPublicationRecord(prepared.journal, result.state, job.jobAttempt);
  const post = async () => {
    const body = bodyOf(actionContext, result);
    const content = shortHash([number, body]);
    const posted = await postStickyComment(await openPublishApi(actionContext), {
      number,
      key: keyOfJob(actionContext),
      body,
      isUpdateOnly: inputs.comment === 'on-failure' && result.status === 'passed',
      onIntent: () => record.intend('comment', content),
    });
    if (posted === undefined) return;
    record.done('comment', content, { url: posted.url });
    log.info(`Comment on #${number}: ${posted.url}`);
  };
  const permission = pull === undefined ? 'issues: write' : 'pull-requests: write';
  const attempt = { what: 'The comment', number, permission };
  const done = post().catch((error) => reportUnpublished(actionContext, prepared, attempt, error));
  await (signal.aborted ? Promise.race([done, delay(maxCancelledMs, undefined, { ref: false })]) : done);
  return { ...result, state: record.state() };
}

function bodyOf(actionContext: ActionContext, result: RunResult): string {
  const { plan, state, warnings } = result;
  const facts: CommentFacts = {
    report: makeReport(plan, state, result),
    state,
    warnings,
    gateLabels: gateLabelsOf(plan, state),
    key: keyOfJob(actionContext),
    results: actionContext.inputs.commentResults,
    runUrl: attemptUrl(actionContext),
    repositoryUrl: repositoryUrl(actionContext),
    ...defined({ rerun: nextStepText(result), published: result.published }),
  };
  return commentText(facts, actionContext.redact);
}
