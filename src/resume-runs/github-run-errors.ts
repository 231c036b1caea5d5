/** Failed requests to GitHub as `SourceError`. Pure. */
import { statusOf } from '../github/github-api.js';
import { SourceError, type SourceProblem } from './run-source.js';

interface FailedAnswer {
  readonly message: string;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
}

/** `what`: what the request was about. */
export function sourceErrorOf(what: string, error: unknown, access: 'read' | 'write'): SourceError {
  const status = statusOf(error);
  const { message, headers } = answerOf(error);
  const problem = problemOf(status, message, headers, access);
  const text = status === undefined ? message : `status ${status}: ${message}`;
  const wait = problem === 'limited' ? waitOf(headers) : undefined;
  return new SourceError(problem, `GitHub did not answer about ${what} (${text})`, wait, { cause: error });
}

function problemOf(
  status: number | undefined,
  message: string,
  headers: FailedAnswer['headers'],
  access: 'read' | 'write',
): SourceProblem {
  if (status === undefined || status >= 500) return 'no-answer';
  const isForbidden = status === 403;
  if (status === 429 || (isForbidden && isLimit(message, headers))) return 'limited';
  if (status === 401) return 'permission';
  // The API also answers 403 to a re-run that is not possible now.
  if (isForbidden && (access === 'read' || isMissingPermission(message))) return 'permission';
  return status === 404 || status === 410 ? 'missing' : 'refused';
}

function isLimit(message: string, headers: FailedAnswer['headers']): boolean {
  return /rate limit/i.test(message) || String(headers['x-ratelimit-remaining'] ?? '') === '0';
}

/** The texts for a token of a job, for other tokens, and for a person. */
function isMissingPermission(message: string): boolean {
  return /not accessible by|must have (?:admin|write)|resource protected by organization/i.test(message);
}

function waitOf(headers: FailedAnswer['headers']): number | undefined {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 && headers['retry-after'] !== undefined
    ? seconds * 1000
    : undefined;
}

/** The message of GitHub itself, and the headers. The message of the client also contains a link. */
function answerOf(error: unknown): FailedAnswer {
  const fallback = error instanceof Error ? error.message : String(error);
  const response = typeof error === 'object' && error !== null && 'response' in error ? error.response : {};
  const { headers, data } = (response ?? {}) as { headers?: FailedAnswer['headers']; data?: unknown };
  const message =
    typeof data === 'object' && data !== null && 'message' in data && typeof data.message === 'string'
      ? data.message
      : fallback;
  return { message: message.replace(/\s+/g, ' ').slice(0, 300), headers: headers ?? {} };
}
