/** Guards with each CLI: an agent that exceeds a limit is stopped, and the next attempt resumes its session. */
import { describe, expect, it } from 'vitest';
import { foldEvents } from '../../src/journal/run-state.js';
import type { Guard } from '../../src/workflow/workflow.js';
import { createCliHarness } from '../fakes/cli-harness.js';
import { agentStep, bashGate, exitAfter, planOf } from '../fakes/plan.js';
import type { AgentAction, StandInProvider } from '../rig/stand-in.js';

/** `isLive`: tokens are known while the agent runs. For Codex they come from the session file. */
const clis: readonly { readonly id: StandInProvider; readonly agent: string; readonly isLive: boolean }[] = [
  { id: 'claude', agent: 'claude-haiku-4-5', isLive: true },
  { id: 'codex', agent: 'codex-gpt-5.4', isLive: true },
  { id: 'gemini', agent: 'gemini-25-flash', isLive: false },
  { id: 'qwen', agent: 'qwen-gpt-5.4', isLive: true },
  { id: 'opencode', agent: 'opencode-openai/gpt-5.4', isLive: true },
  { id: 'cursor', agent: 'cursor', isLive: false },
];

const answers = (count: number): readonly AgentAction[] =>
  Array.from({ length: count }, (_, index) => ({ write: `answer-${index + 1}` }));

/** Keeps running until it is stopped. */
const hang: AgentAction = { hang: true };

/** `first` is what the first attempt does. The second one ends immediately. */
async function runWithGuard(
  guard: Guard,
  { id, agent }: (typeof clis)[number],
  first: readonly AgentAction[],
  isTimedByHang = false,
) {
  const { harness, calls, run } = createCliHarness({
    rules: [{ call: 1, do: first }, { do: [{ say: 'Done.' }] }],
    isTimedByHang,
  });
  const step = agentStep('impl', { agent, guard, gates: [bashGate('check')], retry: [exitAfter(2)] });
  const state = await run(planOf([step]));
  const recorded = await calls();
  expect(recorded.map(({ provider }) => provider)).toEqual(recorded.map(() => id));
  const attempts = foldEvents(harness.events).steps.get('impl')?.attempts ?? [];
  return { state, attempts, calls: recorded };
}

function expectResumed({ state, attempts, calls }: Awaited<ReturnType<typeof runWithGuard>>) {
  expect(attempts.map(({ status, failure }) => failure?.kind ?? status)).toEqual(['guard', 'passed']);
  expect(attempts[0]?.gates).toEqual([]);
  expect(calls.map(({ session }) => session.mode)).toEqual(['start', 'resume']);
  expect(calls[1]?.session.id).toBe(calls[0]?.session.id);
  expect(calls[1]?.earlier).toHaveLength(1);
  expect(calls[1]?.prompt).toContain(attempts[0]?.failure?.message ?? 'no failure');
  expect(state.runEnded?.status).toBe('passed');
}

describe.each(clis)('$id', (cli) => {
  it('stops at the beginning of a turn that exceeds the limit', async () => {
    const end = await runWithGuard({ maxTurns: 2 }, cli, [...answers(3), hang]);
    expectResumed(end);
    expect(end.attempts[0]?.failure?.message).toContain('max_turns');
    expect(end.attempts[0]?.usage?.turns).toBe(3);
  });

  it.runIf(cli.isLive)('stops at the answer that exceeds the limit on tokens', async () => {
    const end = await runWithGuard({ maxTokens: 200 }, cli, [...answers(2), hang]);
    expectResumed(end);
    expect(end.attempts[0]?.failure?.message).toMatch(/^`max_tokens` .* 240 tokens used, limit 200 tokens/);
  });

  it('lets the gates decide if the last answer exceeds the limit', async () => {
    const last = [...answers(1), { say: 'Done.' }];
    for (const guard of [{ maxTokens: 200 }, { maxTurns: 1 }]) {
      const { attempts, calls, state } = await runWithGuard(guard, cli, last);
      expect(attempts.map(({ status, failure }) => failure?.message ?? status)).toEqual(['passed']);
      expect(attempts[0]?.gates).toMatchObject([{ name: 'check', status: 'passed' }]);
      expect(attempts[0]?.usage.turns).toBe(2);
      expect(calls).toHaveLength(1);
      expect(state.runEnded?.status).toBe('passed');
    }
  });

  it.runIf(cli.isLive)('stops at the answer that exceeds the limit on cost', async () => {
    const end = await runWithGuard({ maxUsd: 0.00001 }, cli, [...answers(1), hang]);
    expect(end.attempts[0]?.failure).toMatchObject({ kind: 'guard' });
    expect(end.attempts[0]?.failure?.message).toContain('max_budget');
    expect(end.attempts[0]?.usage?.costUsd).toBeGreaterThan(0);
  });

  it('stops an agent without output when its time is up', async () => {
    const end = await runWithGuard({ maxTimeMs: 4000 }, cli, [...answers(1), hang], true);
    expectResumed(end);
    expect(end.attempts[0]?.failure?.message).toContain('max_time');
  });
});
