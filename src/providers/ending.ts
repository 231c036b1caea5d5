/**
 * How a process ended, in words that hold for every CLI: what the exit alone says, and what is said when the
 * stream has no final result (P2). What a CLI's own messages mean is a table in its reader.
 */
import type { Failure, FailureKind } from '../failure.js';
import type { Exit } from './provider.js';

/** A kind of failure and the words by which a CLI tells it. The first row that fits counts. */
export type FailureWords = readonly (readonly [FailureKind, RegExp])[];

/** Characters of a CLI's own message that are kept. */
const messageLimit = 2000;

/** The failure that this message of a CLI means; `crash` when none of the words stand in it. */
export function failureOf(message: string, words: FailureWords, otherwise: FailureKind = 'crash'): Failure {
  const kind = words.find(([, pattern]) => pattern.test(message))?.[0] ?? otherwise;
  return { kind, message: message.trim().slice(0, messageLimit) };
}

/** The failure when the process did not end by itself; `undefined` when it did. */
export function notExited(exit: Exit, title: string, installHint: string): Failure | undefined {
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
 * (surer than words, for warnings of any kind stand on standard error), by the words there, else `protocol`.
 */
export function noResult(
  exit: Exit,
  title: string,
  words: FailureWords,
  endings: Readonly<Record<number, FailureKind>> = {},
): Failure {
  const end = exit.code === undefined ? 'was killed by a signal' : `ended with exit code ${exit.code}`;
  const told = exit.stderrTail.trim();
  const message = `${title} ${end} without a final result${told === '' ? '.' : `: ${told.slice(-messageLimit)}`}`;
  const failure = failureOf(told, words, 'protocol');
  return { kind: endings[exit.code ?? 0] ?? failure.kind, message };
}

/** The failure when the stream tells of success and the exit code does not. */
export function badExit(exit: Exit, title: string): Failure | undefined {
  if (exit.code === 0) return undefined;
  const end = exit.code === undefined ? 'a signal' : `exit code ${exit.code}`;
  return {
    kind: 'crash',
    message: `${title} told of success but ended with ${end}. ${exit.stderrTail.trim()}`.trim(),
  };
}
