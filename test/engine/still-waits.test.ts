import { describe, expect, it } from 'vitest';
import { stillWaits } from '../../src/engine/limits/still-waits.js';
import type { RunState } from '../../src/journal/run-state.js';
import type { Plan } from '../../src/plan/plan.js';
import { createEngineHarness } from '../fakes/engine-harness.js';
import { agentStep, groupStep, planOf } from '../fakes/plan.js';

const minute = 60_000;
const hours = 60 * minute;

const steps = [
  agentStep('first', { agent: 'codex' }),
  groupStep('g', [agentStep('impl'), agentStep('other', { agent: 'gemini' })], { parallel: true }),
];
const plan = planOf(steps);

/** The state of a run whose agents of these providers are refused for 3 hours. */
async function waitingState(one: Plan, providers: readonly string[] = ['claude']): Promise<RunState> {
  const harness = createEngineHarness({
    runAgent: ({ agent }) =>
      providers.some((provider) => agent.startsWith(provider))
        ? { failure: { kind: 'rate-limit', message: 'limit', acceptsAgainAt: 3 * hours } }
        : {},
  });
  return harness.run(one);
}

const asks = async (later: Plan, now: number, state = waitingState(plan)) =>
  stillWaits({ plan: later, state: await state, job: 'j', jobAttempt: 2 }, now);

describe('a re-run', () => {
  it('still waits until 10 minutes before the time', async () => {
    expect(await asks(plan, 0)).toBe(true);
    expect(await asks(plan, 3 * hours - 10 * minute - 1)).toBe(true);
    expect(await asks(plan, 3 * hours - 10 * minute)).toBe(false);
  });

  it.each([
    ['with another agent', planOf(steps, { agent: 'codex' })],
    ['with a fallback', planOf(steps, { fallback: 'codex' })],
    ['until a step that has passed', planOf(steps, { until: 'first' })],
    ['from an earlier step', planOf(steps, { fromStep: 'first' })],
    [
      'with another definition of a step that passed',
      planOf([agentStep('first', { agent: 'codex', prompt: 'else' }), ...steps.slice(1)]),
    ],
    ['without the step that waits', planOf([agentStep('first', { agent: 'codex' })])],
  ])('%s does not wait', async (_what, later) => {
    expect(await asks(later, 0)).toBe(false);
  });

  it('that approves a step of another parallel branch does not wait', async () => {
    const pausing = [
      groupStep('g', [agentStep('impl'), agentStep('other', { agent: 'gemini', hitl: 'after-gate' })], {
        parallel: true,
      }),
    ];
    const state = waitingState(planOf(pausing));
    expect((await state).steps.get('g/other')?.status).toBe('paused');
    expect(await asks(planOf(pausing), 0, state)).toBe(true);
    expect(await asks(planOf(pausing, { approve: 'g/other' }), 0, state)).toBe(false);
  });

  it('with a fallback that is limited too still waits', async () => {
    const both = planOf(steps, { fallback: 'qwen' });
    expect(await asks(both, 0, waitingState(both, ['claude', 'qwen']))).toBe(true);
  });

  it('with the agent of the workflow as the fallback still waits', async () => {
    expect(await asks(planOf(steps, { fallback: 'claude-haiku' }), 0)).toBe(true);
  });

  it('of a run that waits for a job with more time does not wait', async () => {
    const cancelled = new AbortController();
    const harness = createEngineHarness({
      runAgent: () => {
        cancelled.abort();
        return { failure: { kind: 'cancelled', message: 'cancelled' } };
      },
    });
    const state = await harness.run(plan, { signal: cancelled.signal });
    expect(state.runEnded?.status).toBe('waiting');
    expect(stillWaits({ plan, state, job: 'j', jobAttempt: 2 }, 0)).toBe(false);
  });
});
