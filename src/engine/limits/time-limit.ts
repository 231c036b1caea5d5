/** The time limit of the job (`max-time`). It cancels the run early enough to store the state. */
import type { RunOptions } from '../engine-run.js';

export interface TimeLimit {
  /** Aborted when the job is cancelled, and when the time is up. */
  readonly signal: AbortSignal;
  /** Whether the time was up before any cancellation of the job. */
  isExpired(): boolean;
  /** To be called when the run has ended. */
  stop(): void;
}

export function startTimeLimit({ signal, deadline, ports: { clock } }: RunOptions): TimeLimit {
  const expired = new AbortController();
  const ended = new AbortController();
  const either = AbortSignal.any([signal, expired.signal]);
  if (deadline !== undefined)
    void clock.sleep(Math.max(0, deadline - clock.now()), ended.signal).then(
      () => expired.abort(),
      () => undefined,
    );
  return {
    signal: either,
    isExpired: () => expired.signal.aborted && !signal.aborted,
    stop: () => ended.abort(),
  };
}
