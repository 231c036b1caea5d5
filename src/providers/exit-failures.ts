/**
 * Failures from the end of a process, the same for every CLI: what the exit alone implies, and what applies if the
 * stream has no final result (PROVIDER2). Each reader has a table of the messages of its CLI.
 */
import type { Failure, FailureKind } from '../failure.js';
import type { ProcessExit } from '../system/process.js';

/** Kinds of failure and the messages that indicate them. The first matching row counts. */
export type FailurePatterns = readonly (readonly [FailureKind, RegExp])[];

const months = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
const resetWords = `resets?\\s(?:(?:at|on|in|after)\\s)?(?:\\d|midnight|(?:${months})[a-z]*\\.?\\s\\d)`;
/** Of at least 1000 s. A service may ask for seconds although the quota of the day is used up. */
const longRetryWords = '(?:try again|retry) in (?:\\d+ ?(?:d|h)|\\d{4,}(?:\\.\\d+)? ?s)';

/** A limit that says when it ends, so that waiting helps, whatever else the message says. */
export const limitWithReset = new RegExp(
  `\\b(?:limits?|quotas?|usage|capacity)\\b.{0,400}\\b(?:${resetWords}|${longRetryWords})`,
  'is',
);

/**
 * Messages about used-up quotas from services that several CLIs use. Waiting does not help an account without
 * credit, but it does help with a limit per minute. Messages of both kinds mention quota, plan and billing: OpenAI's
 * limit per minute suggests adding a payment method, Google's mentions "your plan and billing details".
 */
export const quotaPatterns: FailurePatterns = [
  ['rate-limit', limitWithReset],
  ['auth', /insufficient.?(quota|balance|credits|funds)|credit balance|out of credits|daily quota|perday/i],
  ['auth', /billing_(hard_limit|not_active|error)|billing hard limit|account is not active/i],
  // Limits per minute: "Quota exceeded for metric …" from Google, "Allocated quota exceeded" from Alibaba.
  ['rate-limit', /rate.?limit (was |has been )?(reached|exceeded)|quota exceeded for|allocated quota/i],
  ['rate-limit', /(limit|quota|429|too many requests).*(\b(try again|retry) in \d|"retryDelay")/is],
  ['auth', /quota exceeded|exceeded your current quota|check your (plan and )?billing/i],
];

/**
 * A complaint about an API key. The words alone prove nothing: a crash may quote code or the name of a variable, such
 * as `API_KEY`, and `auth` would end the run although the credential is valid.
 */
export const rejectedKeyPatterns: FailurePatterns = [
  [
    'auth',
    /\b(?:invalid|incorrect|missing|expired|revoked|wrong|no|valid|set|provide|specify|check) (?:\S+ ){0,3}?[\w"'`-]*api[ _-]?key/i,
  ],
  [
    'auth',
    /api[ _-]?key\b["'`]?(?: \S+){0,3}? (?:invalid|not (?:valid|found|set|provided|allowed|authorized)|missing|expired|required|incorrect|revoked|rejected|disabled|leaked)|api_key_invalid/i,
  ],
];

/** Maximum length of a stored message of a CLI, in characters. */
const messageLimit = 2000;

/** No more of a message is searched: a service may answer with a whole page, and the time of a search is quadratic. */
const searchedLimit = 10_000;

/** Messages about an unknown model. The failure is final, because another attempt would use the same model. */
const unknownModel =
  /\bmodel\b.{0,100}\b(does not exist|(was|is) not (found|supported)|may not exist|not found)|models\/\S+ is not found|model_not_found/is;
const otherModel = 'The service does not offer the model of this agent. Set a different model.';

/**
 * How CLIs report that the service refuses a request for its content (HTTP 400, of some services 422). Codex prints
 * only the answer of the service, whose type at OpenAI is `invalid_request_error` (0.169.0).
 */
const refusedRequest =
  /\b(?:API Error|status|code)"?:? ?\(?4(?:00|22)\b|"type": ?"invalid_request_error"|\bINVALID_ARGUMENT\b|\b400 Bad Request\b/i;
const refusedHint =
  'The service refused this request, so the next attempt gets a new session. If it refuses that one too, check the model and the input `agent-args`.';

export function isRefusedStatus(status: number | undefined): boolean {
  return status === 400 || status === 422;
}

/**
 * A refused request of which only the content can be the cause. The same conversation would be refused again, so it
 * counts as one that no longer fits. An unknown model stays what it is.
 */
export function refusedFailure(failure: Failure): Failure {
  if (failure.isFinal || (failure.kind !== 'crash' && failure.kind !== 'protocol')) return failure;
  return { kind: 'context', message: `${withFullStop(failure.message)} ${refusedHint}` };
}

function withFullStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The failure that a message of a CLI indicates; of kind `otherwise` if no pattern matches. */
export function classifyFailure(
  message: string,
  patterns: FailurePatterns,
  otherwise: FailureKind = 'crash',
): Failure {
  const searched = message.trimStart().slice(0, searchedLimit);
  const known = patterns.find(([, pattern]) => pattern.test(searched))?.[0];
  const failure = { kind: known ?? otherwise, message: message.trim().slice(0, messageLimit) };
  if (failure.kind === 'crash' && unknownModel.test(searched))
    return { ...failure, message: `${failure.message} ${otherModel}`, isFinal: true };
  return known === undefined && refusedRequest.test(searched) ? refusedFailure(failure) : failure;
}

/** The failure of a process that did not end by itself; `undefined` if it did. */
export function abnormalExitFailure(
  exit: ProcessExit,
  title: string,
  installHint: string,
): Failure | undefined {
  if (exit.reason === 'exited') return undefined;
  if (exit.reason === 'cancelled') return { kind: 'cancelled', message: `${title} was stopped.` };
  if (exit.reason === 'timeout') {
    const seconds = Math.round(exit.durationMs / 1000);
    return {
      kind: 'timeout',
      message: `${title} exceeded its time limit and was stopped after ${seconds} s.`,
    };
  }
  return {
    kind: 'crash',
    message: `${title} could not be started: program not found. ${installHint}`,
  };
}

/**
 * The failure of a stream that ended without a final result. An exit code of the CLI's own decides first: it is more
 * reliable than text, because standard error contains all kinds of warnings. Then the last lines of standard error
 * decide, otherwise the kind is `protocol`. A killed process had no time to print a reason.
 */
export function missingResultFailure(
  exit: ProcessExit,
  title: string,
  patterns: FailurePatterns,
  exitCodeKinds: Readonly<Record<number, FailureKind>> = {},
): Failure {
  const end = exit.code === undefined ? 'was killed by a signal' : `ended with exit code ${exit.code}`;
  const output = exit.stderrTail.trim();
  const message = `${title} ${end} without a final result${output === '' ? '.' : `: ${output.slice(-messageLimit)}`}`;
  if (exit.code === undefined) return { kind: 'protocol', message };
  return {
    kind: exitCodeKinds[exit.code] ?? classifyFailure(lastErrorLines(output), patterns, 'protocol').kind,
    message,
  };
}

/**
 * The last lines with the reason for which a CLI ends. Indented lines do not count: they are the stack and the
 * fields of an error. Errors of MCP servers do not end a CLI.
 */
function lastErrorLines(output: string): string {
  const lines = output.split('\n').filter((line) => /^[^\s})\]]/.test(line));
  return lines
    .slice(-3)
    .filter((line) => !/mcp/i.test(line))
    .join('\n');
}

/** The failure of a process whose stream reports success, but whose exit code does not. */
export function exitCodeFailure(exit: ProcessExit, title: string): Failure | undefined {
  if (exit.code === 0) return undefined;
  const end = exit.code === undefined ? 'a signal' : `exit code ${exit.code}`;
  return {
    kind: 'crash',
    message: `${title} reported success but ended with ${end}. ${exit.stderrTail.trim()}`.trim(),
  };
}
