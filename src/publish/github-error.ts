/** What a failure while publishing means. Pure. */
import { statusOf } from '../github/request-error.js';
import { GitError } from '../workspace/git.js';

/** Whether it is unknown if the request took effect: GitHub failed, or its answer was lost. */
export function isUnanswered(error: unknown): boolean {
  const status = statusOf(error);
  return isRequestError(error) && (status === undefined || status >= 500);
}

/** Whether the error comes from a request at all. A program that failed has a status, too. */
export function isRequestError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'status' in error && !(error instanceof GitError);
}
