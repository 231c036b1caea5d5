/**
 * How long a refusal of the model service is waited out within an attempt (contract 5.8): as long as it asks,
 * else twice as long each time.
 */
import type { Failure } from '../../failure.js';

/** At most so many waits in one attempt. */
export const maxWaits = 5;
/** Of waiting in all; what the agent got done in between does not count. */
export const maxTotalWaitMs = 10 * 60_000;
const firstBackoffMs = 10_000;

export interface BackoffState {
  readonly failure: Failure;
  /** How often this attempt has waited already. */
  readonly waits: number;
  /** Milliseconds that it has waited, with those of the tries in between that got nothing done. */
  readonly waitedMs: number;
  /** From 0 to 1: steps that run side by side must not all come back at once. */
  readonly jitter: number;
}

/** Milliseconds to wait before the next try; `undefined`: waiting does not help, or has been tried long enough. */
export function nextWaitMs(refused: BackoffState): number | undefined {
  const { failure, waits, waitedMs } = refused;
  if (!isTransient(failure) || waits >= maxWaits) return undefined;
  const ms = delayMs(refused);
  return waitedMs + ms > maxTotalWaitMs ? undefined : ms;
}

export function isTransient(
  failure: Failure,
): failure is Failure & { readonly kind: 'rate-limit' | 'overloaded' } {
  return (failure.kind === 'rate-limit' || failure.kind === 'overloaded') && failure.isFinal !== true;
}

/** Never less than what was asked for; a backoff is between half of its time and all of it. */
function delayMs({ failure, waits, jitter }: BackoffState): number {
  const requestedMs = failure.retryAfterMs;
  if (requestedMs !== undefined) return Math.ceil(requestedMs + Math.min(requestedMs / 10, 5000) * jitter);
  return Math.ceil(firstBackoffMs * 2 ** waits * (0.5 + jitter / 2));
}

/** The failure that stands when no more is waited, with what was tried. */
export function exhausted(
  failure: Failure,
  { waits, waitedMs }: Pick<BackoffState, 'waits' | 'waitedMs'>,
): Failure {
  if (!isTransient(failure)) return failure;
  const requestedMs = failure.retryAfterMs;
  const waitedText =
    waits === 0
      ? []
      : [`It was waited for ${waits === 1 ? 'once' : `${waits} times`}, ${seconds(waitedMs)} in all.`];
  const isTooLong = requestedMs !== undefined && waitedMs + requestedMs > maxTotalWaitMs;
  const requestedText = isTooLong
    ? [`The service asks to wait ${seconds(requestedMs)}, which is too long for a job.`]
    : [];
  return { ...failure, message: [failure.message, ...waitedText, ...requestedText].join(' ') };
}

/** What is refused, and until when it is waited for, as people read it. */
export function describeWait(
  kind: 'rate-limit' | 'overloaded',
  until: number,
  ms: number,
  waits: number,
): string {
  const what = kind === 'rate-limit' ? 'limits requests' : 'is overloaded or cannot be reached';
  const clock = new Date(until).toISOString().slice(11, 19);
  return `The model service ${what}. Waiting until ${clock} UTC (${seconds(ms)}), then going on in the same session (wait ${waits} of ${maxWaits}).`;
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}
