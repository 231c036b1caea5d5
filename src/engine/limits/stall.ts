/**
 * Stops an agent that shows no activity for too long. Lines in which a CLI only reports that it retries are no
 * activity: some CLIs wait without end for a network that is unavailable.
 */
import type { Failure } from '../../failure.js';
import type { AgentEvent } from '../../providers/provider.js';
import { longestTimerMs } from '../../system/longest-timer.js';

export const defaultStallMs = 10 * 60_000;

export interface StallWatch {
  /** Aborted with the signal of the run, and when the agent has been silent for too long. */
  readonly signal: AbortSignal;
  /** To be called for each line of the agent's output with its events. A line without events is activity. */
  onEvents(events: readonly AgentEvent[]): void;
  /** To be called when the agent has ended. Returns the failure if it was stopped for its silence. */
  stop(title: string): Failure | undefined;
}

/** `ms`: 0 means no limit. */
export function watchForStall(ms: number, signal: AbortSignal): StallWatch {
  const silence = new AbortController();
  const timer = ms === 0 ? undefined : setTimeout(() => silence.abort(), Math.min(ms, longestTimerMs));
  let notice: string | undefined;
  return {
    signal: AbortSignal.any([signal, silence.signal]),
    onEvents(events) {
      notice = events.findLast((event) => event.type === 'notice')?.message ?? notice;
      if (events.length > 0 && events.every((event) => event.type === 'notice')) return;
      notice = undefined;
      timer?.refresh();
    },
    stop(title) {
      clearTimeout(timer);
      if (!silence.signal.aborted || signal.aborted) return undefined;
      const lastNotice = notice === undefined ? '' : ` Last message: ${notice}`;
      const message = `${title} showed no activity for ${stallTimeText(ms)} and was stopped.${lastNotice}`;
      return { kind: 'timeout', message };
    },
  };
}

function stallTimeText(ms: number): string {
  return ms < 60_000 ? `${ms / 1000} s` : `${Math.round(ms / 60_000)} min`;
}
