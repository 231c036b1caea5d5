/** The end of the time that this job may take (`max-time`): a cancellation of our own, with time left to store the state. */
import type { RunOptions } from './run-context.js';

export interface TimeLimit {
  /** Aborted with the job, and when the time is up. */
  readonly signal: AbortSignal;
  /** The time was up before the job was cancelled, if it was. */
  isUp(): boolean;
  /** Nothing is at work any more. */
  end(): void;
}

export function limitTime({ signal, endsBy, ports: { clock } }: RunOptions): TimeLimit {
  const up = new AbortController();
  const over = new AbortController();
  const both = AbortSignal.any([signal, up.signal]);
  if (endsBy !== undefined)
    void clock.sleep(Math.max(0, endsBy - clock.now()), over.signal).then(
      () => up.abort(),
      () => undefined,
    );
  return { signal: both, isUp: () => up.signal.aborted && !signal.aborted, end: () => over.abort() };
}
