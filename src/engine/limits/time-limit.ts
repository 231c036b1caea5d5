/** The end of the time that this job may take (`max-time`): a cancellation of our own, with time left to store the state. */
import type { RunOptions } from '../engine-run.js';

export interface TimeLimit {
  /** Aborted with the job, and when the time is up. */
  readonly signal: AbortSignal;
  /** The time was up before the job was cancelled, if it was. */
  isExpired(): boolean;
  /** Nothing is at work any more. */
  stop(): void;
}

export function startTimeLimit({ signal, deadline, ports: { clock } }: RunOptions): TimeLimit {
  const expired = new AbortController();
  const over = new AbortController();
  const both = AbortSignal.any([signal, expired.signal]);
  if (deadline !== undefined)
    void clock.sleep(Math.max(0, deadline - clock.now()), over.signal).then(
      () => expired.abort(),
      () => undefined,
    );
  return {
    signal: both,
    isExpired: () => expired.signal.aborted && !signal.aborted,
    stop: () => over.abort(),
  };
}
