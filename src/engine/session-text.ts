/** The sentence about an attempt's session. The log, the summary and the warnings all show this one. Pure. */
import type { DatedSession, SessionDecision } from '../journal/event.js';
import type { Attempt } from '../journal/run-state.js';

/** What the sentence names. */
export interface SessionTextFacts {
  readonly session: SessionDecision;
  readonly agent?: string;
  /** The agent that it replaces (`fallback`). */
  readonly insteadOf?: string;
  /** The attempt of the same step before this one; an interrupted attempt precedes its own continuation. */
  readonly previous?: Attempt;
}

/** One line without a full stop: whether the session is new or resumed, and why. */
export function describeSession({ session, agent, insteadOf, previous }: SessionTextFacts): string {
  if (session.earlier !== undefined) return describeEarlier(session, session.earlier);
  const target = targetText(session);
  switch (session.reason) {
    case 'previous':
      return `resumes the session of ${target} from an earlier run`;
    case 'previous-not-found':
      return `new session: no earlier run has a session of ${target} that can be used here`;
    case 'previous-expired':
      return `new session: the session of ${target} from an earlier run is too old`;
    case 'declared-new':
      return 'new session';
    case 'from':
      return `resumes the session of ${target}`;
    case 'kept-on-retry':
      return 'resumes the session of the previous attempt';
    case 'continued':
      return `resumes its session from ${previous === undefined ? 'an earlier job attempt' : `job attempt ${previous.jobAttempt}`}`;
    case 'override-new':
      return 'new session, set by a retry entry';
    case 'agent-changed':
      return `new session: the agent changed${agentChangeText(previous?.agent ?? insteadOf, agent)}${insteadOf === undefined ? '' : fallbackText}`;
    case 'from-target-not-run':
      return `new session: ${target} has not run`;
    case 'from-other-agent':
      return `new session: ${target} ran with a different agent`;
    case 'from-out-of-scope':
      return `new session: ${target} is in a different scope`;
    case 'from-in-use':
      return 'new session: another process uses the session to resume';
    case 'no-session-id':
      return 'new session: the id of the session to resume is unknown';
    case 'session-lost':
      return 'new session: the session to resume is missing, so the agent does not know its earlier work';
    case 'session-ahead':
      return 'new session: the session to resume is ahead of this step and cannot be rolled back';
    case 'context-full':
      return 'new session: the context of the previous session is full, or the service refused its content';
    case 'no-progress':
      return 'new session: two job attempts in a row failed in the previous session without changing a file';
  }
}

/** The same for a session of an earlier run. Only a few reasons are possible there. */
function describeEarlier(session: SessionDecision, earlier: DatedSession): string {
  const { runId, commit, ageMs, tokens = 0 } = earlier;
  const from = `${targetText(session)} from run ${runId}`;
  switch (session.reason) {
    case 'previous':
      return `resumes the session of ${from} (${ageText(ageMs)} ago, commit ${commit.slice(0, 7)})${interruptionText(earlier)}`;
    case 'previous-expired':
      return `new session: the session of ${from} is ${ageText(ageMs)} old, older than \`max-session-age\``;
    case 'context-full':
      return `new session: the session of ${from} has ${tokens.toLocaleString('en-US')} tokens, more than \`max-resume-tokens\``;
    case 'from-other-agent':
      return `new session: ${targetText(session)} ran with a different agent in run ${runId}`;
    case 'from-in-use':
      return `new session: another run that has not ended resumes the session of ${from}`;
    case 'no-session-id':
      return `new session: the id of the session of ${from} is unknown`;
    default:
      return `new session: the session of ${from} is missing, so the agent does not know its earlier work`;
  }
}

function interruptionText({ isInterrupted }: DatedSession): string {
  return isInterrupted ? ', which was interrupted in that run, so its last turn may be incomplete' : '';
}

/** In the largest unit that gives at least 1. */
function ageText(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 60) return counted(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return hours < 48 ? counted(hours, 'hour') : counted(Math.round(hours / 24), 'day');
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** `from:` as the workflow declares it. */
function targetText({ declared }: SessionDecision): string {
  const step = /^(?:from|previous):(.+)$/s.exec(declared)?.[1];
  return step === undefined ? 'the named step' : `step \`${step}\``;
}

const fallbackText = ' (`fallback`: the service refuses requests for some time)';

function agentChangeText(before: string | undefined, now: string | undefined): string {
  return `${before === undefined ? '' : ` from ${before}`}${now === undefined ? '' : ` to ${now}`}`;
}
