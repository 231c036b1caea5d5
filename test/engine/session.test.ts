import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EarlierStep } from '../../src/engine/previous-run.js';
import {
  decideSession,
  type EarlierCandidate,
  isWarningReason,
  type SessionDecisionInput,
} from '../../src/engine/session-decision.js';
import { sessionReasons } from '../../src/journal/event.js';
import { holds } from '../fakes/holds.js';
import { makeAttempt } from './attempts.js';

const firstInput: SessionDecisionInput = {
  declared: { mode: 'new' },
  agent: 'claude-haiku',
  provider: 'claude',
  jobAttempt: 1,
  history: [],
  isContinued: false,
  freshSession: false,
  target: 'not-run',
  agentMatch: 'agent',
  sessionsInUse: new Set(),
  unavailableSessions: new Map(),
};

const fromTests: SessionDecisionInput = { ...firstInput, declared: { mode: 'from', step: 'tests' } };

const again: SessionDecisionInput = { ...firstInput, declared: { mode: 'previous', step: 'review' } };

function candidate({
  step,
  ...rest
}: Partial<Omit<EarlierCandidate, 'step'>> & { step?: Partial<EarlierStep> } = {}) {
  const known = { runId: '1001', commit: 'c1', endedAt: 1, path: 'review', agent: 'claude-haiku' };
  const whole = { ...known, provider: 'claude', sessionId: 'P', files: [], ...step };
  const limits = { isInUse: false, ageMs: 1000, maxAgeMs: 5000, maxTokens: 100 };
  return { earlier: { ...limits, ...rest, step: whole } };
}

interface Case {
  readonly rule: string;
  readonly input: Partial<SessionDecisionInput>;
  readonly base?: SessionDecisionInput;
  readonly expected: string;
}

const cases: readonly Case[] = [
  { rule: 'S1 new, or none', input: {}, expected: 'new declared-new' },
  {
    rule: 'S2 the same agent',
    base: fromTests,
    input: { target: [makeAttempt({ id: 'T' })] },
    expected: 'resumed from T',
  },
  {
    rule: 'S2 the last session of the target',
    base: fromTests,
    input: { target: [makeAttempt({ id: 'T1' }), makeAttempt({ id: 'T2', number: 2 })] },
    expected: 'resumed from T2',
  },
  {
    rule: 'S2 another agent of the same provider',
    base: fromTests,
    input: { target: [makeAttempt({ id: 'T', agent: 'claude-opus' })] },
    expected: 'new from-other-agent',
  },
  {
    rule: 'S2 widened to the provider',
    base: fromTests,
    input: { agentMatch: 'provider', target: [makeAttempt({ id: 'T', agent: 'claude-opus' })] },
    expected: 'resumed from T',
  },
  {
    rule: 'S2 another provider is never resumed',
    base: fromTests,
    input: {
      agentMatch: 'provider',
      target: [makeAttempt({ id: 'T', agent: 'codex', provider: 'codex' })],
    },
    expected: 'new from-other-agent',
  },
  {
    rule: 'S2 the target has not run',
    base: fromTests,
    input: { target: 'not-run' },
    expected: 'new from-target-not-run',
  },
  {
    rule: 'S3 the target is out of scope',
    base: fromTests,
    input: { target: 'out-of-scope' },
    expected: 'new from-out-of-scope',
  },
  {
    rule: 'S2 the target ran only gates',
    base: fromTests,
    input: { target: [gateAttempt()] },
    expected: 'new from-target-not-run',
  },
  {
    rule: 'S2 no id of the target',
    base: fromTests,
    input: { target: [makeAttempt()] },
    expected: 'new no-session-id',
  },
  {
    rule: 'S4 retry',
    input: { history: [makeAttempt({ id: 'A' })] },
    expected: 'resumed kept-on-retry A',
  },
  {
    rule: 'S4 never a sibling’s session',
    base: fromTests,
    input: { target: [makeAttempt({ id: 'T' })], history: [makeAttempt({ id: 'A' })] },
    expected: 'resumed kept-on-retry A',
  },
  {
    rule: 'S4 a retry without an id of its own, declared new',
    input: { history: [makeAttempt()] },
    expected: 'new no-session-id',
  },
  {
    rule: 'S4 a retry without an id of its own, declared from',
    base: fromTests,
    input: { target: [makeAttempt({ id: 'T' })], history: [makeAttempt({ effective: 'resumed' })] },
    expected: 'resumed from T',
  },
  {
    rule: 'S5 escalation',
    input: { agent: 'claude-opus', history: [makeAttempt({ id: 'A' })] },
    expected: 'new agent-changed',
  },
  {
    rule: 'S5 the attempt after an escalation keeps the new one',
    input: {
      agent: 'claude-opus',
      history: [makeAttempt({ id: 'A' }), makeAttempt({ id: 'B', number: 2, agent: 'claude-opus' })],
    },
    expected: 'resumed kept-on-retry B',
  },
  {
    rule: 'S6 override',
    input: { freshSession: true, history: [makeAttempt({ id: 'A' })] },
    expected: 'new override-new',
  },
  {
    rule: 'S6 a fresh session without an id does not fall back to the old one',
    input: { history: [makeAttempt({ id: 'A' }), makeAttempt({ number: 2, effective: 'new' })] },
    expected: 'new no-session-id',
  },
  {
    rule: 'S7 in use',
    base: fromTests,
    input: { target: [makeAttempt({ id: 'T' })], sessionsInUse: new Set(['T']) },
    expected: 'new from-in-use',
  },
  {
    rule: 'S10 an interrupted attempt',
    input: { isContinued: true, jobAttempt: 2, history: [makeAttempt({ id: 'A', status: 'cancelled' })] },
    expected: 'resumed continued A',
  },
  {
    rule: 'S10 an override that applied before does not apply again to a continued attempt',
    input: {
      isContinued: true,
      freshSession: true,
      jobAttempt: 2,
      history: [makeAttempt({ id: 'A', status: 'cancelled' })],
    },
    expected: 'resumed continued A',
  },
  {
    rule: 'S10 failed permanently',
    input: { jobAttempt: 2, history: [makeAttempt({ id: 'A' })] },
    expected: 'resumed continued A',
  },
  {
    rule: 'S10 context',
    input: {
      jobAttempt: 2,
      history: [makeAttempt({ id: 'A', failure: { kind: 'context', message: '' } })],
    },
    expected: 'new context-full',
  },
  {
    rule: 'S10 no progress after two idle job attempts',
    input: { jobAttempt: 4, history: [makeAttempt({ id: 'A' }), idleAttempt(2), idleAttempt(3)] },
    expected: 'new no-progress',
  },
  {
    rule: 'S10 one idle job attempt is not enough',
    input: { jobAttempt: 3, history: [makeAttempt({ id: 'A' }), idleAttempt(2)] },
    expected: 'resumed continued A',
  },
  {
    rule: 'S10 a change of the tree counts as progress',
    input: {
      jobAttempt: 4,
      history: [makeAttempt({ id: 'A' }), idleAttempt(2), { ...idleAttempt(3), changed: true }],
    },
    expected: 'resumed continued A',
  },
  {
    rule: 'the session of an earlier run',
    base: again,
    input: candidate(),
    expected: 'resumed previous P',
  },
  { rule: 'no earlier run', base: again, input: {}, expected: 'new previous-not-found' },
  {
    rule: 'S2 another agent in the earlier run',
    base: again,
    input: candidate({ step: { agent: 'claude-opus' } }),
    expected: 'new from-other-agent',
  },
  {
    rule: 'S2 widened to the provider in the earlier run',
    base: again,
    input: { ...candidate({ step: { agent: 'claude-opus' } }), agentMatch: 'provider' },
    expected: 'resumed previous P',
  },
  {
    rule: 'S2 another provider in the earlier run',
    base: again,
    input: { ...candidate({ step: { provider: 'codex' } }), agentMatch: 'provider' },
    expected: 'new from-other-agent',
  },
  {
    rule: 'an old session of an earlier run',
    base: again,
    input: candidate({ ageMs: 5001 }),
    expected: 'new previous-expired',
  },
  {
    rule: 'a large session of an earlier run',
    base: again,
    input: candidate({ step: { tokens: 101 } }),
    expected: 'new context-full',
  },
  {
    rule: 'a large session, without a limit',
    base: again,
    input: candidate({ maxTokens: 0, step: { tokens: 101 } }),
    expected: 'resumed previous P',
  },
  {
    rule: 'a session whose size is unknown',
    base: again,
    input: candidate({ maxTokens: 1 }),
    expected: 'resumed previous P',
  },
  {
    rule: 'S7 another run resumes it',
    base: again,
    input: candidate({ isInUse: true }),
    expected: 'new from-in-use',
  },
  {
    rule: 'S7 another process of this run uses it',
    base: again,
    input: { ...candidate(), sessionsInUse: new Set(['P']) },
    expected: 'new from-in-use',
  },
  {
    rule: 'S9 a session that the entry does not have',
    base: again,
    input: { ...candidate(), unavailableSessions: new Map([['P', 'session-lost']]) },
    expected: 'new session-lost',
  },
  {
    rule: 'no id of the session of an earlier run',
    base: again,
    input: { earlier: withoutId(candidate().earlier) },
    expected: 'new no-session-id',
  },
  {
    rule: 'S4 a retry keeps the session of this run',
    base: again,
    input: { ...candidate(), history: [makeAttempt({ id: 'A' })] },
    expected: 'resumed kept-on-retry A',
  },
  {
    rule: 'S10 a re-run keeps the session of this run',
    base: again,
    input: { ...candidate(), jobAttempt: 2, history: [makeAttempt({ id: 'A' })] },
    expected: 'resumed continued A',
  },
  {
    rule: 'S4 a retry without an id of its own, declared from an earlier run',
    base: again,
    input: { ...candidate(), history: [makeAttempt({ effective: 'resumed' })] },
    expected: 'resumed previous P',
  },
  {
    rule: 'S13 a session that could not be rolled back',
    input: {
      jobAttempt: 2,
      history: [makeAttempt({ id: 'A' })],
      unavailableSessions: new Map([['A', 'session-ahead']]),
    },
    expected: 'new session-ahead',
  },
  {
    rule: 'S9 a session that was not in the checkpoint',
    input: {
      jobAttempt: 2,
      history: [makeAttempt({ id: 'A' })],
      unavailableSessions: new Map([['A', 'session-lost']]),
    },
    expected: 'new session-lost',
  },
];

describe('decideSession', () => {
  it.each(cases)('$rule → $expected', ({ input, base = firstInput, expected }) => {
    const decision = decideSession({ ...base, ...input });
    expect([decision.effective, decision.reason, decision.id].filter(Boolean).join(' ')).toBe(expected);
  });

  it('contains what the workflow declared, whatever the decision', () => {
    expect(decideSession({ ...fromTests, target: 'not-run' }).declared).toBe('from:tests');
  });

  it('resumes the session of an earlier run only if nothing speaks against it', () => {
    const facts = fc.record({
      agent: fc.constantFrom('claude-haiku', 'claude-opus', 'codex'),
      provider: fc.constantFrom('claude', 'codex'),
      tokens: fc.nat(200),
      ageMs: fc.nat(10_000),
      maxTokens: fc.constantFrom(0, 100),
      isInUse: fc.boolean(),
      agentMatch: fc.constantFrom('agent' as const, 'provider' as const),
    });
    holds(
      fc.property(facts, ({ agent, provider, tokens, ageMs, maxTokens, isInUse, agentMatch }) => {
        const { earlier } = candidate({ step: { agent, provider, tokens }, ageMs, maxTokens, isInUse });
        const decision = decideSession({ ...again, earlier, agentMatch });
        const isSame = provider === 'claude' && (agentMatch === 'provider' || agent === 'claude-haiku');
        const isSmall = maxTokens === 0 || tokens <= maxTokens;
        const mayResume = isSame && isSmall && ageMs <= 5000 && !isInUse;
        expect(decision.effective).toBe(mayResume ? 'resumed' : 'new');
        expect(isWarningReason(decision.reason)).toBe(!mayResume);
      }),
    );
  });

  it('names the earlier run, whatever the decision', () => {
    const earlier = { runId: '1001', commit: 'c1', endedAt: 1, ageMs: 1000 };
    expect(decideSession({ ...again, ...candidate() })).toEqual({
      declared: 'previous:review',
      effective: 'resumed',
      reason: 'previous',
      id: 'P',
      earlier,
    });
    const large = decideSession({ ...again, ...candidate({ step: { tokens: 101 } }) });
    expect(large.earlier).toEqual({ ...earlier, tokens: 101 });
    expect(decideSession(again)).not.toHaveProperty('earlier');
  });

  it('warns about every reason from `agent-changed` on, and about no other', () => {
    const from = sessionReasons.indexOf('agent-changed');
    expect(sessionReasons.filter(isWarningReason)).toEqual(sessionReasons.slice(from));
  });
});

function idleAttempt(jobAttempt: number) {
  return makeAttempt({ id: 'A', effective: 'resumed', jobAttempt, number: jobAttempt, changed: false });
}

function withoutId(earlier: EarlierCandidate): EarlierCandidate {
  const { sessionId: _sessionId, ...step } = earlier.step;
  return { ...earlier, step };
}

function gateAttempt() {
  const { agent: _agent, provider: _provider, session: _session, ...rest } = makeAttempt();
  return rest;
}
