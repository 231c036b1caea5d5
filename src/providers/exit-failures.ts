/**
 * How a process ended, in words that hold for every CLI: what the exit alone says, and what is said when the
 * stream has no final result (P2). What a CLI's own messages mean is a table in its reader.
 */
import type { Failure, FailureKind } from '../failure.js';
import type { ProcessExit } from '../system/process.js';

/** A kind of failure and the words by which a CLI tells it. The first row that fits counts. */
export type FailurePatterns = readonly (readonly [FailureKind, RegExp])[];

/**
 * The words of the services behind several CLIs for what is used up. An empty account is not waited out, and
 * another try does not fill it; a limit that passes by itself is. The sentences of both speak of quota, plan and
 * billing: OpenAI's per-minute limit of adding a payment method, Google's of "your plan and billing details".
 */
export const quotaPatterns: FailurePatterns = [
  ['auth', /insufficient.?(quota|balance|credits|funds)|credit balance|out of credits|daily quota|perday/i],
  ['auth', /billing_(hard_limit|not_active|error)|billing hard limit|account is not active/i],
  // "Quota exceeded for metric …" is Google's, "Allocated quota exceeded" Alibaba's word for a limit per minute.
  ['rate-limit', /rate.?limit (was |has been )?(reached|exceeded)|quota exceeded for|allocated quota/i],
  ['rate-limit', /(limit|quota|429|too many requests).*(\b(try again|retry) in \d|"retryDelay")/is],
  ['auth', /quota exceeded|exceeded your current quota|check your (plan and )?billing/i],
];

/** Characters of a CLI's own message that are kept. */
const messageLimit = 2000;

/** Another attempt would ask for the same model. */
const unknownModel =
  /\bmodel\b.{0,100}\b(does not exist|(was|is) not (found|supported)|may not exist|not found)|models\/\S+ is not found|model_not_found/is;
const otherModel = 'The agent names a model that the service does not give: name another one.';

/** The failure that this message of a CLI means; `crash` when none of the words stand in it. */
export function classifyFailure(
  message: string,
  words: FailurePatterns,
  otherwise: FailureKind = 'crash',
): Failure {
  const kind = words.find(([, pattern]) => pattern.test(message))?.[0] ?? otherwise;
  const failure = { kind, message: message.trim().slice(0, messageLimit) };
  if (kind !== 'crash' || !unknownModel.test(message)) return failure;
  return { ...failure, message: `${failure.message} ${otherModel}`, isFinal: true };
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The service's own words, which most CLIs pass on: "Please try again in 1m26.4s", "Please retry in 34.07s". */
export function withRetryAfter(failure: Failure): Failure {
  if (failure.kind !== 'rate-limit' || failure.retryAfterMs !== undefined) return failure;
  const waitText = /\b(?:try again|retry) in ((?:\d+(?:\.\d+)? ?(?:ms|s|m|h)[a-z]* ?)+)/i.exec(
    failure.message,
  )?.[1];
  if (waitText === undefined) return failure;
  const parts = [...waitText.matchAll(/(\d+(?:\.\d+)?) ?(ms|s|m|h)/gi)];
  const ms = parts.reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (units[unit.toLowerCase()] ?? 0),
    0,
  );
  return { ...failure, retryAfterMs: Math.ceil(ms) };
}

/** The failure when the process did not end by itself; `undefined` when it did. */
export function abnormalExitFailure(
  exit: ProcessExit,
  title: string,
  installHint: string,
): Failure | undefined {
  if (exit.reason === 'exited') return undefined;
  if (exit.reason === 'cancelled') return { kind: 'cancelled', message: `${title} was stopped.` };
  if (exit.reason === 'timeout') {
    const seconds = Math.round(exit.durationMs / 1000);
    return { kind: 'timeout', message: `${title} did not end in time and was stopped after ${seconds} s.` };
  }
  return {
    kind: 'crash',
    message: `${title} could not be started: the program was not found. ${installHint}`,
  };
}

/**
 * The failure when the stream ended without a final result: by the exit code where the CLI has codes of its own
 * (surer than words, for warnings of any kind stand on standard error), by its last words there, else
 * `protocol`. A process that was killed had no time to say why.
 */
export function missingResultFailure(
  exit: ProcessExit,
  title: string,
  words: FailurePatterns,
  exitCodeKinds: Readonly<Record<number, FailureKind>> = {},
): Failure {
  const end = exit.code === undefined ? 'was killed by a signal' : `ended with exit code ${exit.code}`;
  const output = exit.stderrTail.trim();
  const message = `${title} ${end} without a final result${output === '' ? '.' : `: ${output.slice(-messageLimit)}`}`;
  if (exit.code === undefined) return { kind: 'protocol', message };
  return {
    kind: exitCodeKinds[exit.code] ?? classifyFailure(lastErrorLines(output), words, 'protocol').kind,
    message,
  };
}

/**
 * The last things that were said, by which a CLI gives up: the lines that begin at the margin, for below an error
 * stand its stack and its fields. What an MCP server could not do does not end a CLI.
 */
function lastErrorLines(output: string): string {
  const lines = output.split('\n').filter((line) => /^[^\s})\]]/.test(line));
  return lines
    .slice(-3)
    .filter((line) => !/mcp/i.test(line))
    .join('\n');
}

/** The failure when the stream tells of success and the exit code does not. */
export function exitCodeFailure(exit: ProcessExit, title: string): Failure | undefined {
  if (exit.code === 0) return undefined;
  const end = exit.code === undefined ? 'a signal' : `exit code ${exit.code}`;
  return {
    kind: 'crash',
    message: `${title} told of success but ended with ${end}. ${exit.stderrTail.trim()}`.trim(),
  };
}
