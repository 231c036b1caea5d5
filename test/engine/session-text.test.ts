import { describe, expect, it } from 'vitest';
import { describeSession, type SessionTextFacts } from '../../src/engine/session-text.js';
import { type DatedSession, type SessionReason, sessionReasons } from '../../src/journal/event.js';
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
    expect(textOf('agent-changed', { insteadOf: 'claude-haiku', agent: 'codex' })).toBe(
      'new session: the agent changed from claude-haiku to codex (`fallback`: the service refuses requests for some time)',
    );
    expect(textOf('agent-changed', { agent: 'codex' })).toBe('new session: the agent changed to codex');
    expect(textOf('agent-changed')).toBe('new session: the agent changed');
  });

  it('names the earlier run, its age and its commit', () => {
    const hour = 3_600_000;
    const earlier: DatedSession = {
      runId: '1001',
      commit: '0123456789abcdef',
      endedAt: 1,
      ageMs: 2 * hour,
      tokens: 151_000,
    };
    const of = (reason: SessionReason, more: Partial<DatedSession> = {}) =>
      describeSession({
        session: {
          declared: 'previous:review',
          effective: 'new',
          reason,
          earlier: { ...earlier, ...more },
        },
      });
    expect(of('previous')).toBe(
      'resumes the session of step `review` from run 1001 (2 hours ago, commit 0123456)',
    );
    expect(of('previous', { ageMs: 70_000 })).toContain('(1 minute ago,');
    expect(of('previous', { isInterrupted: true })).toContain(
      'commit 0123456), which was interrupted in that run',
    );
    expect(of('previous-expired', { ageMs: 20 * 24 * hour })).toBe(
      'new session: the session of step `review` from run 1001 is 20 days old, older than `max-session-age`',
    );
    expect(of('context-full')).toContain('has 151,000 tokens, more than `max-resume-tokens`');
    expect(of('from-other-agent')).toContain('in run 1001');
    expect(of('from-in-use')).toContain('another run that has not ended');
    expect(of('session-lost')).toContain('from run 1001 is missing');
  });

  it('has one line for every reason', () => {
    for (const reason of sessionReasons) {
      expect(textOf(reason)).toMatch(/^(new session|resumes )[^\n.]*$/);
      const session = { declared: 'new', effective: 'new', reason } as const;
      expect(describeSession({ session })).not.toContain('undefined');
    }
  });
});
