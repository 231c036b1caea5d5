/**
 * Ends an agent that will not end by itself: one without activity for too long, and one whose CLI does not exit after
 * its final result, as public reports describe for Claude Code (issue 25629, 2.1.38) and Cursor. Lines in which a CLI
 * only reports that it retries are no activity: some CLIs wait without end for a network that is unavailable. An agent
 * that waits by itself for a usage limit is ended at once if that takes longer than an attempt would wait.
 */
import type { Failure, FailureKind } from '../../failure.js';
import { defined } from '../../optional-keys.js';
import type { AgentEvent, ResultState } from '../../providers/provider.js';
import { longestTimerMs } from '../../system/longest-timer.js';
import type { ProcessExit } from '../../system/process.js';
import { maxTotalWaitMs } from './backoff.js';

export const defaultStallMs = 10 * 60_000;
/** How long a CLI may take to exit after its final result. */
export const defaultExitGraceMs = 10_000;

export interface StallWatch {
  /** Aborted with the signal of the run, and when the agent must be ended. */
  readonly signal: AbortSignal;
  /** To be called for each line of the agent's output with its events. A line without events is activity. */
  onEvents(events: readonly AgentEvent[], result: ResultState): void;
  /** To be called for each line of standard error with its events. It is no activity. */
  onErrorLine(line: string, events: readonly AgentEvent[]): void;
  /** To be called when the agent has ended. `undefined` if it ended in another way than by this watch. */
  stop(): AgentStop | undefined;
}

export type AgentStop =
  /** The agent had reported its result, which counts. */
  | { readonly reason: 'has-result' }
  /**
   * `lastWords`: what the CLI reported after its last activity, such as the cause. May be empty. `refusal`: since then the
   * service limits requests.
   */
  | {
      readonly reason: 'silent';
      readonly ms: number;
      readonly lastWords: string;
      readonly refusal?: Failure;
    }
  /** It would have waited by itself for longer than an attempt waits. */
  | { readonly reason: 'waiting'; readonly refusal: Failure };

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
  let refusal: Failure | undefined;
  let longWait: Failure | undefined;
  const note = (events: readonly AgentEvent[]): void => {
    for (const event of events) {
      if (event.type !== 'refused') continue;
      refusal = laterRefusal(refusal, event.failure);
      if (event.isWaiting && (event.failure.retryAfterMs ?? 0) > maxTotalWaitMs) longWait ??= event.failure;
    }
    if (longWait !== undefined) end();
  };
  return {
    signal: AbortSignal.any([signal, ended.signal]),
    onEvents(events, result) {
      state = result;
      if (result !== 'final') {
        clearTimeout(exitTimer);
        exitTimer = undefined;
      } else exitTimer ??= setTimeout(end, exitGraceMs);
      notice = events.findLast((event) => event.type === 'notice')?.message ?? notice;
      if (events.length > 0 && events.every(({ type }) => type === 'notice' || type === 'refused'))
        return note(events);
      notice = '';
      errorText = '';
      refusal = undefined;
      timer?.refresh();
    },
    onErrorLine(line, events) {
      errorText = `${errorText}${line}\n`.slice(-maxLastWords);
      note(events);
    },
    stop() {
      clearTimeout(timer);
      clearTimeout(exitTimer);
      if (!ended.signal.aborted || signal.aborted) return undefined;
      if (state !== 'none') return { reason: 'has-result' };
      if (longWait !== undefined) return { reason: 'waiting', refusal: longWait };
      const lastWords = notice === '' ? errorText.trim() : notice;
      return { reason: 'silent', ms: stallMs, lastWords, ...defined({ refusal }) };
    },
  };
}

/** A later one may not name the time again. */
function laterRefusal(known: Failure | undefined, next: Failure): Failure {
  return next.acceptsAgainAt === undefined && known?.acceptsAgainAt !== undefined ? known : next;
}

/** The end of a process as its reader must see it: that of the CLI, not that we ended it. */
export function exitBeforeStop(exit: ProcessExit, stop: AgentStop | undefined): ProcessExit {
  if (stop?.reason === 'has-result') return { ...exit, reason: 'exited', code: 0 };
  if (stop?.reason !== 'silent' || stop.lastWords === '') return exit;
  // As if the CLI had ended after its last words, so that its reader looks for the cause in them.
  return { ...exit, reason: 'exited', code: 1, stderrTail: stop.lastWords };
}

/** Causes that another attempt in the same session would meet again, or that only waiting ends. */
const tellingKinds: readonly FailureKind[] = ['auth', 'context', 'session-lost', 'rate-limit'];

/** The failure of an agent that was ended. `cause`: what its reader found in its last words. */
export function stopFailure(
  title: string,
  stop: AgentStop | undefined,
  cause: Failure | undefined,
): Failure | undefined {
  if (stop?.reason === 'silent') return silenceFailure(title, stop, cause);
  if (stop?.reason !== 'waiting') return cause;
  const { message, ...rest } = stop.refusal;
  return { ...rest, message: `${title} was stopped, because it would have waited by itself: ${message}` };
}

function silenceFailure(
  title: string,
  { ms, lastWords, refusal }: Extract<AgentStop, { reason: 'silent' }>,
  cause: Failure | undefined,
): Failure {
  const words = lastWords === '' ? '' : ` Last message: ${lastWords}`;
  const message = `${title} showed no activity for ${stallTimeText(ms)} and was stopped.${words}`;
  if (refusal !== undefined) {
    // The wait counted from the refusal, and part of it is over.
    const { retryAfterMs: _retryAfterMs, ...known } = refusal;
    return { ...known, message: lastWords === '' ? `${message} ${refusal.message}` : message };
  }
  if (cause === undefined || lastWords === '') return { kind: 'timeout', message };
  const isTelling = tellingKinds.includes(cause.kind) || cause.isFinal === true;
  return isTelling ? { ...cause, message } : { kind: 'timeout', message };
}

function stallTimeText(ms: number): string {
  return ms < 60_000 ? `${ms / 1000} s` : `${Math.round(ms / 60_000)} min`;
}
