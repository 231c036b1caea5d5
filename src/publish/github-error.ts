/** What a failed request to GitHub says. Pure. */
import { statusOf } from '../github/github-api.js';
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

/** GitHub's own words, with those about single fields. Empty if it sent none. */
export function messageOf(error: unknown): string {
  const data = dataOf(error);
  const errors = Array.isArray(data?.errors) ? data.errors : [];
  const more = errors.map((one) => (typeof one === 'string' ? one : (one?.message ?? '')));
  return [data?.message ?? '', ...more].filter((text) => text !== '').join(' ');
}

/** Whether GitHub refused the request because of a rate limit. */
export function isRateLimit(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 429) return true;
  const { headers = {} } = responseOf(error) ?? {};
  return (
    status === 403 &&
    (headers['x-ratelimit-remaining'] === '0' ||
      headers['retry-after'] !== undefined ||
      /rate limit/i.test(messageOf(error)))
  );
}

interface ErrorResponse {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly data?: unknown;
}

function responseOf(error: unknown): ErrorResponse | undefined {
  if (typeof error !== 'object' || error === null || !('response' in error)) return undefined;
  return error.response as ErrorResponse | undefined;
}

interface ErrorData {
  readonly message?: string;
  readonly errors?: readonly (string | { readonly message?: string } | null)[];
}

function dataOf(error: unknown): ErrorData | undefined {
  const data = responseOf(error)?.data;
  return typeof data === 'object' && data !== null ? (data as ErrorData) : undefined;
}
