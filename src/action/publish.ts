/**
 * Publishes the result of a run that passed: a commit, a push or a pull request. All of it happens after the last agent
 * and gate have ended. Intent and outcome are events, so that a re-run publishes nothing twice, and a re-run of a run
 * whose result could not be published does only that.
 */

import type { Failure } from '../failure.js';
import type { PublicationKind } from '../journal/event.js';
import type { RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { changeId } from '../publish/change-id.js';
import { type PublishAttempt, publishFailure } from '../publish/publish-failure.js';
import type { PublishedRun } from '../publish/run-facts.js';
import { textAt, valueAt } from '../security/trust.js';
import { unlessAborted } from '../system/unless-aborted.js';
import type { ActionContext } from './action-context.js';
import { eventOf } from './event-checks.js';
import type { Publication } from './publication.js';
import { openPublicationRecord, type PublicationRecord } from './publication-record.js';
import { publishCommit } from './publish-commit.js';
import { runUrl } from './publish-place.js';
import { publishPullRequest } from './publish-pull-request.js';
import { publishPush } from './publish-push.js';
import type { PublishTarget } from './publish-target.js';
import { readChange, requireWorkflowRight, workflowFilesOf } from './publishable-change.js';
import type { PreparedRun, RunRequest } from './run-context.js';
import { subjectOfRun } from './run-subject.js';

/** The state with what was published. If something could not be published, the run has failed. */
export async function publishResult(
  request: RunRequest,
  prepared: PreparedRun,
  state: RunState,
): Promise<RunState> {
  const { publishTarget, signal, actionContext } = request;
  const isPassed = state.runEnded?.status === 'passed' && !prepared.live.hasError();
  if (publishTarget === undefined || !isPassed) return state;
  const { jobAttempt } = actionContext.job;
  const record = openPublicationRecord(prepared.journal, state, jobAttempt);
  const trial: PublishTrial = { kind: publishTarget.apply, workflowFiles: [] };
  const end = (status: 'failed' | 'cancelled', failure: Failure) => {
    record.append({ type: 'run-ended', status, failure, unpublished: trial.kind, jobAttempt });
  };
  const work = async () =>
    publish({ request, prepared, state, trial, record }).catch((error) => {
      if (!signal.aborted)
        end('failed', publishFailure(error, attemptOf(actionContext, publishTarget, trial)));
    });
  // A cancelled job has a few seconds. Its result must be written, and what it publishes meanwhile is in the journal.
  if (signal.aborted || (await unlessAborted(work(), signal)) === 'aborted')
    end('cancelled', cancelledFailure);
  const after = record.state();
  if (after.eventCount > state.eventCount)
    await prepared.ports.checkpoints.store(after).catch(() => undefined);
  return after;
}

const cancelledFailure: Failure = {
  kind: 'cancelled',
  message: 'The job was cancelled in the meantime. Re-run the failed jobs.',
};

interface PublishWork {
  readonly request: RunRequest;
  readonly prepared: PreparedRun;
  readonly state: RunState;
  readonly trial: PublishTrial;
  readonly record: PublicationRecord;
}

async function publish({ request, prepared, state, trial, record }: PublishWork): Promise<void> {
  const { publishTarget: target, actionContext } = request;
  if (target === undefined) return;
  const { files } = await readChange(request, state);
  trial.workflowFiles = workflowFilesOf(files);
  if (files.length === 0) {
    actionContext.log.notice(`The run changed nothing, so \`apply: ${target.apply}\` published nothing.`);
    return;
  }
  await requireWorkflowRight(request, trial.workflowFiles);
  const onKind = (kind: PublicationKind, branch: string) => Object.assign(trial, { kind, branch });
  const run = describeRun(request, state, changeId(files));
  const publication: Publication = {
    request,
    files,
    state,
    run,
    event: prepared.ports.event,
    record,
    onKind,
  };
  if (target.apply === 'commit') await publishCommit(publication);
  else if (target.apply === 'push') await publishPush(publication, target);
  else await publishPullRequest(publication, target);
}

function describeRun(request: RunRequest, state: RunState, change: string): PublishedRun {
  const { actionContext, plan } = request;
  const { issue: number } = subjectOfRun(actionContext);
  const { payload } = eventOf(actionContext);
  // The input `subject` may name another issue than that of the event.
  const isOfEvent = valueAt(payload, 'issue', 'number') === number;
  const title = isOfEvent ? textAt(payload, 'issue', 'title') : undefined;
  return {
    workflow: plan.workflow,
    runUrl: runUrl(actionContext),
    change,
    state,
    ...(number === undefined ? {} : { issue: { number, ...defined({ title }) } }),
  };
}

/** What is being tried. */
interface PublishTrial {
  kind: PublicationKind;
  branch?: string;
  workflowFiles: readonly string[];
}

function attemptOf(
  actionContext: ActionContext,
  publishTarget: PublishTarget,
  trial: PublishTrial,
): PublishAttempt {
  const { kind, branch, workflowFiles } = trial;
  const apply = publishTarget.apply;
  const at = branch === undefined ? '' : `\`${branch}\``;
  return {
    apply,
    what:
      kind === 'pull-request' ? `open the pull request${at && ` from ${at}`}` : `push${at && ` to ${at}`}`,
    permissions: ['contents: write', ...(apply === 'pull-request' ? ['pull-requests: write'] : [])],
    apiUrl: actionContext.job.apiUrl,
    workflowFiles: branch !== undefined && kind === 'push' ? workflowFiles : [],
  };
}
