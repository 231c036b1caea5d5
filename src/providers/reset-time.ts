/**
 * When a service accepts requests again, from the words in which it refuses. docs/providers.md lists the forms, with
 * their sources. A time that cannot be read is absent, never guessed: an unknown zone, 25:00, different times in one
 * text, a time that is over, or one that is more than 35 days ahead.
 */
import type { Failure } from '../failure.js';
import { type Present, pastToleranceMs, readClock } from './read-clock.js';
import { readDuration } from './read-duration.js';

/** The present time as readers need it. */
export interface TimeSource {
  /** Milliseconds since 1970. */
  now(): number;
  /** The zone of times that a CLI prints without one, such as `Europe/Oslo`. */
  readonly zone: string;
}

/** No known limit lasts longer than a month. */
const longestWaitMs = 35 * 86_400_000;

/** `failure` with the time that its text names, if it is of kind `rate-limit`. `text`: instead of its message. */
export function withResetTime(failure: Failure, time: TimeSource, text = failure.message): Failure {
  if (failure.kind !== 'rate-limit' || failure.acceptsAgainAt !== undefined) return failure;
  const present = { now: time.now(), zone: time.zone };
  return withMoment(failure, findResetTime(text, present), present);
}

/** `failure` with the time of a field of an event: in seconds or milliseconds since 1970. */
export function withResetAt(failure: Failure, at: number | undefined, time: TimeSource): Failure {
  if (failure.kind !== 'rate-limit' || at === undefined) return failure;
  const now = time.now();
  return withMoment(failure, usableMoment(toMs(at), now), { now });
}

/** `failure` with the time after this wait. */
export function withResetIn(failure: Failure, ms: number | undefined, time: TimeSource): Failure {
  if (failure.kind !== 'rate-limit' || ms === undefined) return failure;
  const now = time.now();
  return withMoment(failure, usableMoment(now + ms, now), { now });
}

/** The wait follows from the time, here only. A time that is just over is the present: then no wait is requested. */
function withMoment(failure: Failure, at: number | undefined, { now }: Pick<Present, 'now'>): Failure {
  if (at === undefined) return failure;
  const acceptsAgainAt = Math.ceil(at);
  const ms = acceptsAgainAt - now;
  return { ...failure, acceptsAgainAt, ...(ms > 0 ? { retryAfterMs: ms } : {}) };
}

function usableMoment(at: number | undefined, now: number): number | undefined {
  if (at === undefined || !Number.isFinite(at)) return undefined;
  return at < now - pastToleranceMs || at > now + longestWaitMs ? undefined : at;
}

/** Times in seconds and in milliseconds differ by size, from 1973 to the year 5138. */
function toMs(at: number): number {
  return at < 1e11 ? at * 1000 : at;
}

type Reading = (rest: string, present: Present) => number | undefined;

const clock: Reading = readClock;
const epoch: Reading = (rest) => toMs(Number(/^\d{10,13}/.exec(rest)?.[0]));
const duration: Reading = (rest, { now }) => later(readDuration(rest), now);
const seconds: Reading = (rest, { now }) => later(Number(/^\d+(?:\.\d+)?/.exec(rest)?.[0]) * 1000, now);

function later(ms: number | undefined, now: number): number | undefined {
  return ms === undefined ? undefined : now + ms;
}

const month = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?';
/** How a clock time, with or without a day, begins. */
const clockStart = `(?=\\d{1,2}(?::\\d|\\s?[ap]\\.?m\\b)|\\d{4}-\\d|\\d{2}-\\d|midnight\\b|noon\\b|${month} \\d)`;
const durationStart = '(?=\\d|less than a|an? min)';
const words = (pattern: string) => new RegExp(pattern, 'gi');

/**
 * The words before a time, and how to read it. The first form that the text contains decides, even if its time cannot
 * be read. What the limit itself says comes before what a retry says.
 */
const forms: readonly (readonly [RegExp, Reading])[] = [
  [/limit reached\|(?=\d{10})/gi, epoch],
  [/\bresets_?at"?\s?[:=]\s?(?=\d{10})/gi, epoch],
  [/"quotaResetTimeStamp":\s?"(?=\d)/gi, clock],
  [words(`\\breset(?:s|ting)?(?: (?:at|on))? ${clockStart}`), clock],
  [words(`\\breset(?:s|ting)? (?:in|after) ${durationStart}`), duration],
  [/\bresets_in_seconds"?\s?[:=]\s?(?=\d)/gi, seconds],
  [words(`\\b(?:try|retry)(?: again)? (?:at|on) ${clockStart}`), clock],
  [words(`\\b(?:try again|retry) in ${durationStart}`), duration],
  [/\b(?:try again|retry) after (?=\d)/gi, duration],
  [/"retryDelay":\s?"(?=\d)/gi, duration],
  [/\bretrying after (?=\d)/gi, duration],
];

/**
 * When the service accepts requests again, in milliseconds since 1970, as this text says; `undefined` if it says no
 * time that can be read.
 */
export function findResetTime(text: string, present: Present): number | undefined {
  // Lines break anywhere, and `Intl` writes a narrow space before AM.
  const line = text.replace(/\s+/g, ' ');
  for (const [before, read] of forms) {
    const moments = [...line.matchAll(before)].map(({ 0: found, index }) =>
      usableMoment(read(line.slice(index + found.length, index + found.length + 200), present), present.now),
    );
    if (moments.length > 0) return agreed(moments);
  }
  return undefined;
}

/** The moment if all are the same. A text often repeats it. */
function agreed(moments: readonly (number | undefined)[]): number | undefined {
  return new Set(moments).size === 1 ? moments[0] : undefined;
}
