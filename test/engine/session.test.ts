import { describe, expect, it } from 'vitest';
import {
  decideSession,
  isWarningReason,
  type SessionDecisionInput,
} from '../../src/engine/session-decision.js';
import { sessionReasons } from '../../src/journal/event.js';
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

  it('warns about every reason from `agent-changed` on, and about no other', () => {
    const from = sessionReasons.indexOf('agent-changed');
    expect(sessionReasons.filter(isWarningReason)).toEqual(sessionReasons.slice(from));
  });
});

function idleAttempt(jobAttempt: number) {
  return makeAttempt({ id: 'A', effective: 'resumed', jobAttempt, number: jobAttempt, changed: false });
}

function gateAttempt() {
  const { agent: _agent, provider: _provider, session: _session, ...rest } = makeAttempt();
  return rest;
}
