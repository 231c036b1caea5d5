/** Why a comment or a review was not posted: a warning, or a notice if that is as it should be. */
import { isDenied, type PostAttempt, publishProblem } from '../publish/publish-problem.js';
import { isUntrustedPullRequest } from '../security/trust.js';
import type { ActionContext } from './action-context.js';
import { eventOf } from './event-checks.js';
import type { PreparedRun } from './run-context.js';

/**
 * Reports why something was not posted. A pull request of a fork or of Dependabot gets a token that can only read: that is
 * as it should be, so it is a notice.
 */
export function reportUnpublished(
  actionContext: ActionContext,
  { live }: PreparedRun,
  attempt: PostAttempt,
  error: unknown,
): void {
  if (isDenied(error) && isUntrustedPullRequest(eventOf(actionContext)))
    actionContext.log.notice(
      `${attempt.what} was not posted on #${attempt.number}: the token of a pull request of a fork or of Dependabot can only read.`,
    );
  else live.warn(publishProblem(attempt, error));
}
