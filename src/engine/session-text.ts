/** The sentence about an attempt's session. The log, the summary and the warnings all show this one. Pure. */
import type { SessionDecision } from '../journal/event.js';
import type { Attempt } from '../journal/run-state.js';

/** What the sentence names. */
export interface SessionTextFacts {
  readonly session: SessionDecision;
  readonly agent?: string;
  /** The attempt of the same step before this one; an interrupted attempt precedes its own continuation. */
  readonly previous?: Attempt;
}

/** One line without a full stop: whether the session is new or resumed, and why. */
export function describeSession({ session, agent, previous }: SessionTextFacts): string {
  const target = targetText(session);
  switch (session.reason) {
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
      return `new session: the agent changed${agentChangeText(previous?.agent, agent)}`;
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

/** `from:` as the workflow declares it. */
function targetText({ declared }: SessionDecision): string {
  return declared.startsWith('from:') ? `step \`${declared.slice('from:'.length)}\`` : 'the named step';
}

function agentChangeText(before: string | undefined, now: string | undefined): string {
  return `${before === undefined ? '' : ` from ${before}`}${now === undefined ? '' : ` to ${now}`}`;
}
