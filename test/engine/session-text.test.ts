import { describe, expect, it } from 'vitest';
import { describeSession, type SessionTextFacts } from '../../src/engine/session-text.js';
import { type SessionReason, sessionReasons } from '../../src/journal/event.js';
import { makeAttempt } from './attempts.js';

const textOf = (reason: SessionReason, more: Partial<SessionTextFacts> = {}): string =>
  describeSession({ session: { declared: 'from:reproduce', effective: 'new', reason }, ...more });

describe('the sentence about a session', () => {
  it('names the step whose session is resumed, or why it is not', () => {
    expect(textOf('from')).toBe('resumes the session of step `reproduce`');
    expect(textOf('from-target-not-run')).toContain('step `reproduce` has not run');
    expect(textOf('from-other-agent')).toBe('new session: step `reproduce` ran with a different agent');
  });

  it('names the job attempt that the session comes from', () => {
    const previous = makeAttempt({ jobAttempt: 1 });
    expect(textOf('continued', { previous })).toBe('resumes its session from job attempt 1');
    expect(textOf('continued')).toBe('resumes its session from an earlier job attempt');
  });

  it('names the agents of a change as far as they are known', () => {
    const previous = makeAttempt({ agent: 'claude-haiku' });
    const both = textOf('agent-changed', { previous, agent: 'claude-sonnet' });
    expect(both).toBe('new session: the agent changed from claude-haiku to claude-sonnet');
    expect(textOf('agent-changed', { agent: 'codex' })).toBe('new session: the agent changed to codex');
    expect(textOf('agent-changed')).toBe('new session: the agent changed');
  });

  it('has one line for every reason', () => {
    for (const reason of sessionReasons) {
      expect(textOf(reason)).toMatch(/^(new session|resumes )[^\n.]*$/);
      const session = { declared: 'new', effective: 'new', reason } as const;
      expect(describeSession({ session })).not.toContain('undefined');
    }
  });
});
