/**
 * How long an attempt waits when the model service refuses: as long as the service asks, otherwise twice as long
 * each time. See "Waiting for the service" in docs/troubleshooting.md.
 */
import type { Failure } from '../../failure.js';

/** Largest number of waits in one attempt. */
export const maxWaits = 5;
/** Longest total wait in one attempt. Time in which the agent makes progress between waits does not count. */
export const maxTotalWaitMs = 10 * 60_000;
const firstBackoffMs = 10_000;

export interface BackoffState {
  readonly failure: Failure;
  /** How often this attempt has waited already. */
  readonly waits: number;
  /** Milliseconds that it has waited, including tries in between that got no answer. */
  readonly waitedMs: number;
  /** The present time, in milliseconds since 1970. Only a failure with `acceptsAgainAt` needs it. */
  readonly now?: number;
  /** From 0 to 1, so that parallel branches do not all return at once. */
  readonly jitter: number;
}

/** Milliseconds to wait before the next try. `undefined` if waiting does not help, or the attempt waited enough. */
export function nextWaitMs(state: BackoffState): number | undefined {
  const { failure, waits, waitedMs } = state;
  if (!isTransient(failure) || waits >= maxWaits) return undefined;
  const left = maxTotalWaitMs - waitedMs;
  const ms = delayMs(state);
  if (ms <= left) return ms;
  // What is added for parallel branches never makes a wait too long.
  const requestedMs = requestedMsOf(state);
  return requestedMs !== undefined && requestedMs <= left ? left : undefined;
}

export function isTransient(
  failure: Failure,
): failure is Failure & { readonly kind: 'rate-limit' | 'overloaded' } {
  return (failure.kind === 'rate-limit' || failure.kind === 'overloaded') && failure.isFinal !== true;
}

/** Never less than what the service asks for. A backoff is between half of its time and all of it. */
function delayMs(state: BackoffState): number {
  const { waits, jitter } = state;
  const requestedMs = requestedMsOf(state);
  if (requestedMs !== undefined) return Math.ceil(requestedMs + Math.min(requestedMs / 10, 5000) * jitter);
  return Math.ceil(firstBackoffMs * 2 ** waits * (0.5 + jitter / 2));
}

function requestedMsOf({ failure, now }: BackoffState): number | undefined {
  return remainingMs(failure, now) ?? failure.retryAfterMs;
}

/** Milliseconds until the time that the service names. `undefined` if it names none, or if that time has passed. */
function remainingMs({ acceptsAgainAt }: Failure, now = Number.POSITIVE_INFINITY): number | undefined {
  return acceptsAgainAt !== undefined && acceptsAgainAt > now ? acceptsAgainAt - now : undefined;
}

/** The failure of an attempt that does not wait any more, with what it tried. */
export function exhausted(
  failure: Failure,
  { waits, waitedMs }: Pick<BackoffState, 'waits' | 'waitedMs'>,
): Failure {
  if (!isTransient(failure)) return failure;
  const requestedMs = failure.retryAfterMs;
  const isTooLong = requestedMs !== undefined && waitedMs + requestedMs > maxTotalWaitMs;
  const sentences = [
    ...(waits === 0
      ? []
      : [`Waited ${waits === 1 ? 'once' : `${waits} times`}, ${seconds(waitedMs)} in total.`]),
    ...(isTooLong
      ? [
          `The service asks for a wait of ${seconds(requestedMs)}, but an attempt waits at most ${seconds(maxTotalWaitMs)}. Re-run the failed jobs after that time.`,
        ]
      : []),
  ];
  if (sentences.length === 0) return failure;
  return { ...failure, message: [withFullStop(failure.message), ...sentences].join(' ') };
}

function withFullStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The log line for one wait. `until` in milliseconds since 1970, `waits` including this one. */
export function describeWait(
  kind: 'rate-limit' | 'overloaded',
  until: number,
  ms: number,
  waits: number,
): string {
  const problem = kind === 'rate-limit' ? 'limits requests' : 'is overloaded or unreachable';
  const time = new Date(until).toISOString().slice(11, 19);
  return `The model service ${problem}. Waiting until ${time} UTC (${seconds(ms)}), then resuming the same session (wait ${waits} of ${maxWaits})`;
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}
