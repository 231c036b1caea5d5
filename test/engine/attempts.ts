/** Attempts for tests, with only what matters spelled out. */

import type { SessionDecision } from '../../src/journal/event.js';
import type { Attempt } from '../../src/journal/run-state.js';
import { defined } from '../../src/optional-keys.js';

let nextOrder = 0;

export function makeAttempt(
  overrides: Partial<Attempt> & { readonly id?: string; readonly effective?: 'new' | 'resumed' } = {},
): Attempt {
  const { id, effective = 'new', ...rest } = overrides;
  nextOrder += 1;
  const session: SessionDecision = {
    declared: 'new',
    effective,
    reason: effective === 'new' ? 'declared-new' : 'kept-on-retry',
    ...defined({ id }),
  };
  return {
    number: 1,
    jobAttempt: 1,
    order: nextOrder,
    startedAt: 0,
    agent: 'claude-haiku',
    provider: 'claude',
    session,
    prompt: 'do it',
    status: 'failed',
    hasAgentEnded: true,
    gates: [],
    usage: {},
    changed: true,
    ignored: [],
    files: [],
    ...rest,
  };
}

export function failedGate(name: string, output = '') {
  return { name, type: 'bash', status: 'failed' as const, output, durationMs: 1 };
}

export function passedGate(name: string) {
  return { name, type: 'bash', status: 'passed' as const, output: '', durationMs: 1 };
}
