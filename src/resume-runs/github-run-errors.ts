/** Failed requests to GitHub as `SourceError`. Pure. */
import { headersOf, isRateLimit, messageOf, statusOf } from '../github/request-error.js';
import { SourceError, type SourceProblem } from './run-source.js';

/** `what`: what the request was about. */
export function sourceErrorOf(what: string, error: unknown, access: 'read' | 'write'): SourceError {
  const status = statusOf(error);
  const message = textOf(error);
  const problem = isRateLimit(error) ? 'limited' : problemOf(status, message, access);
  const text = status === undefined ? message : `status ${status}: ${message}`;
  const wait = problem === 'limited' ? waitOf(error) : undefined;
  return new SourceError(problem, `GitHub did not answer about ${what} (${text})`, wait, { cause: error });
}

function problemOf(status: number | undefined, message: string, access: 'read' | 'write'): SourceProblem {
  if (status === undefined || status >= 500) return 'no-answer';
  if (status === 401) return 'permission';
  // The API also answers 403 to a re-run that is not possible now.
  if (status === 403 && (access === 'read' || isMissingPermission(message))) return 'permission';
  return status === 404 || status === 410 ? 'missing' : 'refused';
}

/** The texts for a token of a job, for other tokens, and for a person. */
function isMissingPermission(message: string): boolean {
  return /not accessible by|must have (?:admin|write)|resource protected by organization/i.test(message);
}

function waitOf(error: unknown): number | undefined {
  const { 'retry-after': text } = headersOf(error);
  const seconds = Number(text);
  return text !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

/** GitHub's own words. Those of the client also contain a link. */
function textOf(error: unknown): string {
  const text = messageOf(error) || (error instanceof Error ? error.message : String(error));
  return text.replace(/\s+/g, ' ').slice(0, 300);
}
