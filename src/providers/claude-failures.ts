/** The failures of Claude Code: what its lines about errors, retries and results mean (2.1.197 and 2.1.330). */
import type { Failure } from '../failure.js';
import type { ProcessExit } from '../system/process.js';
import {
  classifyFailure,
  type FailurePatterns,
  isRefusedStatus,
  limitWithReset,
  refusedFailure,
} from './exit-failures.js';
import { asNumber, asText, type JsonObject } from './ndjson.js';

export const title = 'Claude Code';
export const installHint = 'Install it with `npm install -g @anthropic-ai/claude-code`.';

/** Texts of errors for which the result line has no status. */
export const patterns: FailurePatterns = [
  ['session-lost', /no conversation found|does not match any session title|requires a valid session ID/i],
  ['context', /prompt is too long|request too large|context (window|limit|length)/i],
  ['rate-limit', limitWithReset],
  // Waiting or retrying does not help an account without credit.
  ['auth', /not logged in|\/login|invalid (api|x-api-)key|authenticat|oauth token|credit balance|billing/i],
  ['rate-limit', /rate.?limit|usage limit|hit your .{0,40}limit|limit reached|out of extra usage/i],
  ['overloaded', /overloaded|connection|connect to|ECONN|ETIMEDOUT|timed out|server-side issue/i],
];

/** A usage limit of which only a `rate_limit_event` line is known. */
export const limitReached: Failure = {
  kind: 'rate-limit',
  message: `The usage limit of ${title} is reached.`,
};

/**
 * Claude Code waits as long as Retry-After requires, otherwise 0.5 s doubled at every try, plus up to a quarter.
 * It prints the delay but not its source (2.1.330). A delay well above that comes from the service.
 */
export function isBeyondBackoff(delayMs: number, attempt: number): boolean {
  return delayMs > 500 * 2 ** (attempt - 1) * 1.5;
}

/** An API error has subtype `success`, `is_error` true and, from the service, a status. */
export function resultFailure(result: JsonObject, exit: ProcessExit): Failure {
  const errors = Array.isArray(result.errors) ? result.errors.flatMap((entry) => asText(entry) ?? []) : [];
  const message =
    asText(result.result) ??
    asText(errors.join('\n')) ??
    asText(exit.stderrTail) ??
    `${title} reported no reason.`;
  if (result.subtype === 'error_max_turns' || result.subtype === 'error_max_budget_usd')
    return { ...classifyFailure(message, []), kind: 'guard' };
  if (result.terminal_reason === 'prompt_too_long')
    return { ...classifyFailure(message, []), kind: 'context' };
  const status = asNumber(result.api_error_status) ?? 0;
  const kind = kindOfStatus(status);
  if (kind !== undefined) return { ...classifyFailure(message, []), kind };
  const failure = classifyFailure(message, patterns);
  return isRefusedStatus(status) ? refusedFailure(failure) : failure;
}

/** The kind that the status of the service implies; `undefined` if only the text can decide. */
export function kindOfStatus(status: number): Failure['kind'] | undefined {
  if (status === 401 || status === 403) return 'auth';
  if (status === 429) return 'rate-limit';
  if (status === 413) return 'context';
  return status >= 500 ? 'overloaded' : undefined;
}
