/**
 * Ends an agent that will not end by itself: one without activity for too long, and one whose CLI does not exit after
 * its final result, as public reports describe for Claude Code (issue 25629, 2.1.38) and Cursor. Lines in which a CLI
 * only reports that it retries are no activity: some CLIs wait without end for a network that is unavailable.
 */
import type { Failure, FailureKind } from '../../failure.js';
import type { AgentEvent, ResultState } from '../../providers/provider.js';
import { longestTimerMs } from '../../system/longest-timer.js';
import type { ProcessExit } from '../../system/process.js';

export const defaultStallMs = 10 * 60_000;
/** How long a CLI may take to exit after its final result. */
export const defaultExitGraceMs = 10_000;

export interface StallWatch {
  /** Aborted with the signal of the run, and when the agent must be ended. */
  readonly signal: AbortSignal;
  /** To be called for each line of the agent's output with its events. A line without events is activity. */
  onEvents(events: readonly AgentEvent[], result: ResultState): void;
  /** To be called for each line of standard error. It is no activity. */
  onErrorLine(line: string): void;
  /** To be called when the agent has ended. `undefined` if it ended in another way than by this watch. */
  stop(): AgentStop | undefined;
}

export type AgentStop =
  /** The agent had reported its result, which counts. */
  | { readonly reason: 'has-result' }
  /** `lastWords`: what the CLI reported after its last activity, such as the cause. May be empty. */
  | { readonly reason: 'silent'; readonly ms: number; readonly lastWords: string };

export interface StallOptions {
  /** Longest silence; 0 means no limit. */
  readonly stallMs: number;
  readonly exitGraceMs: number;
  readonly signal: AbortSignal;
}

/** Characters of standard error that are kept of a silent agent. */
const maxLastWords = 2000;

export function watchForStall({ stallMs, exitGraceMs, signal }: StallOptions): StallWatch {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const timer = stallMs === 0 ? undefined : setTimeout(end, Math.min(stallMs, longestTimerMs));
  let exitTimer: NodeJS.Timeout | undefined;
  let state: ResultState = 'none';
  let notice = '';
  let errorText = '';
  return {
    signal: AbortSignal.any([signal, ended.signal]),
    onEvents(events, result) {
      state = result;
      if (result !== 'final') {
        clearTimeout(exitTimer);
        exitTimer = undefined;
      } else exitTimer ??= setTimeout(end, exitGraceMs);
      notice = events.findLast((event) => event.type === 'notice')?.message ?? notice;
      if (events.length > 0 && events.every((event) => event.type === 'notice')) return;
      notice = '';
      errorText = '';
      timer?.refresh();
    },
    onErrorLine(line) {
      errorText = `${errorText}${line}\n`.slice(-maxLastWords);
    },
    stop() {
      clearTimeout(timer);
      clearTimeout(exitTimer);
      if (!ended.signal.aborted || signal.aborted) return undefined;
      if (state !== 'none') return { reason: 'has-result' };
      return { reason: 'silent', ms: stallMs, lastWords: notice === '' ? errorText.trim() : notice };
    },
  };
}

/** The end of a process as its reader must see it: that of the CLI, not that we ended it. */
export function exitBeforeStop(exit: ProcessExit, stop: AgentStop | undefined): ProcessExit {
  if (stop?.reason === 'has-result') return { ...exit, reason: 'exited', code: 0 };
  if (stop === undefined || stop.lastWords === '') return exit;
  // As if the CLI had ended after its last words, so that its reader looks for the cause in them.
  return { ...exit, reason: 'exited', code: 1, stderrTail: stop.lastWords };
}

/** Causes that another attempt in the same session would meet again. */
const fatalKinds: readonly FailureKind[] = ['auth', 'context', 'session-lost'];

/** The failure of a silent agent. `cause`: what its reader found in its last words. */
export function silenceFailure(
  title: string,
  { ms, lastWords }: Extract<AgentStop, { reason: 'silent' }>,
  cause: Failure | undefined,
): Failure {
  const words = lastWords === '' ? '' : ` Last message: ${lastWords}`;
  const message = `${title} showed no activity for ${stallTimeText(ms)} and was stopped.${words}`;
  if (cause === undefined || lastWords === '') return { kind: 'timeout', message };
  const isFatal = fatalKinds.includes(cause.kind) || cause.isFinal === true;
  return isFatal ? { ...cause, message } : { kind: 'timeout', message };
}

function stallTimeText(ms: number): string {
  return ms < 60_000 ? `${ms / 1000} s` : `${Math.round(ms / 60_000)} min`;
}
