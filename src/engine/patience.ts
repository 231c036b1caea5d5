/**
 * How long a refusal of the model service is waited out within an attempt (contract 5.8): as long as it asks,
 * else twice as long each time.
 */
import type { Failure } from '../failure.js';

/** At most so many waits in one attempt. */
export const mostWaits = 5;
/** Of waiting in all; what the agent got done in between does not count. */
export const mostPatienceMs = 10 * 60_000;
const firstBackoffMs = 10_000;

export interface Refused {
  readonly failure: Failure;
  /** How often this attempt has waited already. */
  readonly waits: number;
  /** Milliseconds that it has waited, with those of the tries in between that got nothing done. */
  readonly waitedMs: number;
  /** From 0 to 1: steps that run side by side must not all come back at once. */
  readonly chance: number;
}

/** Milliseconds to wait before the next try; `undefined`: waiting does not help, or has been tried long enough. */
export function waitMs(refused: Refused): number | undefined {
  const { failure, waits, waitedMs } = refused;
  if (!isPassing(failure) || waits >= mostWaits) return undefined;
  const ms = delayMs(refused);
  return waitedMs + ms > mostPatienceMs ? undefined : ms;
}

export function isPassing(
  failure: Failure,
): failure is Failure & { readonly kind: 'rate-limit' | 'overloaded' } {
  return (failure.kind === 'rate-limit' || failure.kind === 'overloaded') && failure.isFinal !== true;
}

/** Never less than what was asked for; a backoff is between half of its time and all of it. */
function delayMs({ failure, waits, chance }: Refused): number {
  const asked = failure.retryAfterMs;
  if (asked !== undefined) return Math.ceil(asked + Math.min(asked / 10, 5000) * chance);
  return Math.ceil(firstBackoffMs * 2 ** waits * (0.5 + chance / 2));
}

/** The failure that stands when no more is waited, with what was tried. */
export function impatient(
  failure: Failure,
  { waits, waitedMs }: Pick<Refused, 'waits' | 'waitedMs'>,
): Failure {
  if (!isPassing(failure)) return failure;
  const asked = failure.retryAfterMs;
  const tried =
    waits === 0
      ? []
      : [`It was waited for ${waits === 1 ? 'once' : `${waits} times`}, ${seconds(waitedMs)} in all.`];
  const isTooLong = asked !== undefined && waitedMs + asked > mostPatienceMs;
  const wanted = isTooLong
    ? [`The service asks to wait ${seconds(asked)}, which is too long for a job.`]
    : [];
  return { ...failure, message: [failure.message, ...tried, ...wanted].join(' ') };
}

/** What is refused, and until when it is waited for, as people read it. */
export function waitNote(
  kind: 'rate-limit' | 'overloaded',
  until: number,
  ms: number,
  waits: number,
): string {
  const what = kind === 'rate-limit' ? 'limits requests' : 'is overloaded or cannot be reached';
  const clock = new Date(until).toISOString().slice(11, 19);
  return `The model service ${what}. Waiting until ${clock} UTC (${seconds(ms)}), then going on in the same session (wait ${waits} of ${mostWaits}).`;
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}
