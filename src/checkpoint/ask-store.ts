/**
 * Asks a store until it answers. "The store did not answer" is not "there is none": a run that took one for the other
 * would pay again for everything.
 */
import type { Clock } from '../system/clock.js';
import type { CheckpointStore, StoreFailure } from './checkpoint-store.js';
import { endsWithin } from './ends-within.js';

export type StoreAnswer<T> =
  | { readonly status: 'answered'; readonly value: T }
  /** `reason`: as the store reported it. */
  | { readonly status: 'unanswered'; readonly reason: string };

export interface Patience {
  readonly clock: Clock;
  /** The time at which to give up. */
  readonly until: number;
  /** Maximum time for one answer. Default: the time that is left. */
  readonly maxAnswerMs?: number;
}

/** The pause after the first request without an answer; it doubles with each. */
const firstPauseMs = 2000;

/**
 * Repeats `question` until the store answers it or the time is up. Waits as the store asks, and gives up immediately
 * if it asks for more time than there is.
 */
export async function askStore<T>(
  store: CheckpointStore,
  question: () => Promise<T>,
  { clock, until, maxAnswerMs }: Patience,
): Promise<StoreAnswer<T>> {
  for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
    const maxMs = maxAnswerMs ?? Math.max(0, until - clock.now());
    const answer = question();
    if (!(await endsWithin(answer, maxMs, clock)))
      return { status: 'unanswered', reason: `no answer in ${Math.ceil(maxMs / 1000)} s` };
    const value = await answer;
    const failure = failureOf(store);
    if (failure === undefined || failure.isAnswer === true) return { status: 'answered', value };
    const waitMs = failure.retryAfterMs ?? pauseMs;
    if (clock.now() + waitMs >= until) return { status: 'unanswered', reason: failure.message };
    await clock.sleep(waitMs);
  }
}

/** Why the last call got no answer. `undefined` if it did. */
export function failureOf(store: CheckpointStore): StoreFailure | undefined {
  if (store.lastFailure !== undefined) return store.lastFailure();
  const message = store.lastError?.();
  return message === undefined ? undefined : { message };
}
