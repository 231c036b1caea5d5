/**
 * Which session an attempt runs in, and why: the rules S1 to S10 and S13 of docs/sessions.md as one pure
 * decision. It knows no provider by name. The caller chooses the id of a new session.
 */
import type { DatedSession, SessionDecision, SessionReason } from '../journal/event.js';
import type { Attempt } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { SessionChoice } from '../workflow/workflow.js';
import type { EarlierStep } from './previous-run.js';

export interface SessionDecisionInput {
  readonly declared: SessionChoice;
  /** The agent of the attempt to start. */
  readonly agent: string;
  readonly provider: string;
  readonly jobAttempt: number;
  /** The agent replaces the one of the workflow, whose service refuses requests for some time (`fallback`). */
  readonly isReplacement?: boolean;
  /** The step's attempts so far, oldest first. Empty before the first one. */
  readonly history: readonly Attempt[];
  /** The last attempt of the history was interrupted, and this attempt continues it (S10). */
  readonly isContinued: boolean;
  /** A retry entry sets `session: new` for this attempt (S6). */
  readonly freshSession: boolean;
  /** The attempts of the step that `from:` names, or why there are none. */
  readonly target: readonly Attempt[] | 'not-run' | 'out-of-scope';
  /** What an earlier run says of the step that `from: STEP of previous run` names. Absent: nothing. */
  readonly earlier?: EarlierCandidate;
  /** What counts as the same agent for `from:` (S2). */
  readonly agentMatch: 'agent' | 'provider';
  /** Sessions that a running process uses (S7). */
  readonly sessionsInUse: ReadonlySet<string>;
  /** Sessions that could not be restored to the point of their step, and why (S13). */
  readonly unavailableSessions: ReadonlyMap<string, 'session-lost' | 'session-ahead'>;
}

export interface EarlierCandidate {
  readonly step: EarlierStep;
  /** Another run has announced that it resumes the session. */
  readonly isInUse: boolean;
  /** Milliseconds since that run ended. */
  readonly ageMs: number;
  readonly maxAgeMs: number;
  /** 0: no limit. */
  readonly maxTokens: number;
}

interface ReasonedSession {
  readonly id?: string;
  readonly reason: SessionReason;
  readonly earlier?: DatedSession;
}

/** All other reasons are warnings: a session was not resumed although the workflow meant it to be. */
const expectedReasons: readonly SessionReason[] = [
  'declared-new',
  'from',
  'kept-on-retry',
  'continued',
  'override-new',
  'previous',
];

export function isWarningReason(reason: SessionReason): boolean {
  return !expectedReasons.includes(reason);
}

/** Resumed as declared, but in the middle of a turn. */
export function isInterruptedInEarlierRun({ reason, earlier }: SessionDecision): boolean {
  return reason === 'previous' && earlier?.isInterrupted === true;
}

export function decideSession(input: SessionDecisionInput): SessionDecision {
  const decided =
    input.history.length === 0 ? decideForFirstAttempt(input) : decideForLaterAttempt(input, input.history);
  const declared = input.declared.mode === 'new' ? 'new' : `${input.declared.mode}:${input.declared.step}`;
  const { id, reason, earlier } = decided;
  return {
    declared,
    effective: id === undefined ? 'new' : 'resumed',
    reason,
    ...defined({ id, earlier }),
  };
}

function decideForFirstAttempt(input: SessionDecisionInput): ReasonedSession {
  if (input.declared.mode === 'new')
    return { reason: input.isReplacement ? 'agent-changed' : 'declared-new' };
  if (input.declared.mode === 'previous') return decideFromEarlierRun(input);
  const { target } = input;
  if (target === 'not-run') return { reason: 'from-target-not-run' };
  if (target === 'out-of-scope') return { reason: 'from-out-of-scope' };
  const last = target.at(-1);
  if (last?.agent === undefined) return { reason: 'from-target-not-run' };
  if (!isSameAgent(input, last))
    return { reason: input.isReplacement ? 'agent-changed' : 'from-other-agent' };
  return resumeIfAvailable(input, lastSessionId(target), 'from');
}

/** The reasons in the order in which a person would ask: is it there, is it mine, is it still good, is it free. */
function decideFromEarlierRun(input: SessionDecisionInput): ReasonedSession {
  if (input.earlier === undefined) return { reason: 'previous-not-found' };
  const { step, isInUse, ageMs, maxAgeMs, maxTokens } = input.earlier;
  const { runId, commit, endedAt, tokens, url, isInterrupted, sessionId } = step;
  const earlier = { runId, commit, endedAt, ageMs, ...defined({ tokens, url, isInterrupted }) };
  const started = (reason: SessionReason): ReasonedSession => ({ reason, earlier });
  if (!isSameAgent(input, step)) return started('from-other-agent');
  if (sessionId === undefined) return started('no-session-id');
  if (ageMs > maxAgeMs) return started('previous-expired');
  if (maxTokens > 0 && (tokens ?? 0) > maxTokens) return started('context-full');
  if (isInUse) return started('from-in-use');
  return { ...resumeIfAvailable(input, sessionId, 'previous'), earlier };
}

/** A session of another provider is never resumed, whatever `session-match` says. */
function isSameAgent(input: SessionDecisionInput, attempt: Pick<Attempt, 'agent' | 'provider'>): boolean {
  if (attempt.provider !== input.provider) return false;
  return input.agentMatch === 'provider' || attempt.agent === input.agent;
}

function decideForLaterAttempt(input: SessionDecisionInput, history: readonly Attempt[]): ReasonedSession {
  const last = history.at(-1);
  if (!input.isContinued && input.freshSession) return { reason: 'override-new' };
  if (last?.agent !== input.agent) return { reason: 'agent-changed' };
  if (!input.isContinued && last.failure?.kind === 'context') return { reason: 'context-full' };
  if (!input.isContinued && madeNoProgress(history, input.jobAttempt)) return { reason: 'no-progress' };
  const id = lastSessionId(history);
  if (id === undefined && history.every((attempt) => attempt.session?.id === undefined))
    return decideWithoutOwnSession(input);
  const isFromEarlierJob = input.isContinued || last.jobAttempt !== input.jobAttempt;
  return resumeIfAvailable(input, id, isFromEarlierJob ? 'continued' : 'kept-on-retry');
}

/** No attempt of the step ever had an id, so the declaration of the workflow applies. */
function decideWithoutOwnSession(input: SessionDecisionInput): ReasonedSession {
  return input.declared.mode === 'new' ? { reason: 'no-session-id' } : decideForFirstAttempt(input);
}

/**
 * The newest id, looking back only to the start of the newest session: a new session whose id never became known
 * must not fall back to the session that it replaced.
 */
export function lastSessionId(attempts: readonly Attempt[]): string | undefined {
  for (const attempt of attempts.toReversed()) {
    if (attempt.session?.id !== undefined) return attempt.session.id;
    if (attempt.session?.effective === 'new') return undefined;
  }
  return undefined;
}

function resumeIfAvailable(
  input: SessionDecisionInput,
  id: string | undefined,
  reason: SessionReason,
): ReasonedSession {
  if (id === undefined) return { reason: 'no-session-id' };
  const unavailable = input.unavailableSessions.get(id);
  if (unavailable !== undefined) return { reason: unavailable };
  if (input.sessionsInUse.has(id)) return { reason: 'from-in-use' };
  return { id, reason };
}

/** S10: the two previous job attempts failed in the same resumed session without changing the tree. */
function madeNoProgress(history: readonly Attempt[], jobAttempt: number): boolean {
  const earlier = history.filter((attempt) => attempt.jobAttempt < jobAttempt);
  if (earlier.length === 0 || earlier.length < history.length) return false;
  const jobs = [...new Set(earlier.map((attempt) => attempt.jobAttempt))].slice(-2);
  const last = earlier.filter((attempt) => jobs.includes(attempt.jobAttempt));
  const ids = new Set(last.map((attempt) => attempt.session?.id));
  return jobs.length === 2 && ids.size === 1 && last.every(failedWithoutChange);
}

function failedWithoutChange(attempt: Attempt): boolean {
  return attempt.status === 'failed' && attempt.session?.effective === 'resumed' && !attempt.changed;
}
