/** Publishes the review and the comment of a run that has ended, in the conversation of its pull request or issue. */

import { setTimeout as delay } from 'node:timers/promises';
import { unlessAborted } from '../system/unless-aborted.js';
import { publishComment } from './publish-comment.js';
import { publishReview } from './publish-review.js';
import type { PreparedRun, RunRequest } from './run-context.js';
import type { RunResult } from './run-result.js';

/** GitHub may accept a connection and never answer. */
const maxMs = 5 * 60_000;

const lateText =
  'The review and the comment are not complete: GitHub did not answer within 5 minutes. The status of the run does not change. Re-run the job.';

/**
 * Resolves with the result and what was published, whose events are in a checkpoint then. If the job is cancelled in the
 * meantime: with `undefined`, at once, because the result must still be written.
 */
export async function publishToConversation(
  request: RunRequest,
  prepared: PreparedRun,
  result: RunResult,
): Promise<RunResult | undefined> {
  const published = publish(request, prepared, result);
  // Nobody waits for it any more if the job is cancelled.
  published.catch(() => undefined);
  const stopped = new AbortController();
  const late = delay(maxMs, undefined, { signal: stopped.signal }).then(
    () => prepared.live.warn(lateText),
    () => undefined,
  );
  try {
    const end = await unlessAborted(Promise.race([published, late.then(() => undefined)]), request.signal);
    return end === 'aborted' ? undefined : end;
  } finally {
    stopped.abort();
  }
}

async function publish(request: RunRequest, prepared: PreparedRun, result: RunResult): Promise<RunResult> {
  const { checkpointWriter, live, ports } = prepared;
  const reviewed = await publishReview(request, prepared, result);
  const commented = await publishComment(request, prepared, {
    ...reviewed,
    warnings: live.warnings(),
    // As far as is known now: it is looked up at the end.
    persisted: checkpointWriter.storedEvents > 0 || checkpointWriter.newest !== undefined,
  });
  const { state } = commented;
  if (state.eventCount > result.state.eventCount) await ports.checkpoints.store(state).catch(() => undefined);
  return commented;
}
