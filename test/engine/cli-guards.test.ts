/** Guards × CLIs: what trips is ended, and gone on with in the same conversation. */
import { describe, expect, it } from 'vitest';
import { foldEvents } from '../../src/journal/run-state.js';
import type { Guard } from '../../src/workflow/workflow.js';
import { createCliHarness } from '../fakes/cli-harness.js';
import { agentStep, bashGate, exitAfter, planOf } from '../fakes/plan.js';
import type { AgentAction, StandInProvider } from '../rig/stand-in.js';

/** `live`: tokens are known while the agent works; for Codex from its session's file. */
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

/** An agent that is not stopped hangs. */
const hang: AgentAction = { hang: true };

/** What the first attempt does; the second is done at once. */
async function tripped(
  guard: Guard,
  { id, agent }: (typeof clis)[number],
  first: readonly AgentAction[],
  isTimedByHang = false,
) {
  const { harness, searched, calls } = createCliHarness({
    rules: [{ call: 1, do: first }, { do: [{ say: 'Done.' }] }],
    isTimedByHang,
  });
  const step = agentStep('impl', { agent, guard, gates: [bashGate('check')], retry: [exitAfter(2)] });
  const state = await harness.run(planOf([step]));
  const made = await calls();
  expect(made.map(({ provider }) => provider)).toEqual(made.map(() => id));
  const attempts = foldEvents(harness.events).steps.get('impl')?.attempts ?? [];
  return { state, attempts, searched, calls: made };
}

function expectGoneOn({ state, attempts, searched, calls }: Awaited<ReturnType<typeof tripped>>) {
  expect(attempts.map(({ status, failure }) => failure?.kind ?? status)).toEqual(['guard', 'passed']);
  expect(attempts[0]?.gates).toEqual([]);
  expect(searched).toHaveLength(1);
  expect(calls.map(({ session }) => session.mode)).toEqual(['start', 'resume']);
  expect(calls[1]?.session.id).toBe(calls[0]?.session.id);
  expect(calls[1]?.earlier).toHaveLength(1);
  expect(calls[1]?.prompt).toContain(attempts[0]?.failure?.message ?? 'no failure');
  expect(state.runEnded?.status).toBe('passed');
}

describe.each(clis)('$id', (cli) => {
  it('stops at the first sign of a turn too many', async () => {
    const end = await tripped({ maxTurns: 2 }, cli, [...answers(3), hang]);
    expectGoneOn(end);
    expect(end.attempts[0]?.failure?.message).toContain('max_turns');
    expect(end.attempts[0]?.usage?.turns).toBe(3);
  });

  it('stops with the answer that takes too many tokens', async () => {
    const end = await tripped({ maxTokens: 200 }, cli, cli.isLive ? [...answers(2), hang] : answers(2));
    expectGoneOn(end);
    const count = cli.isLive ? 240 : 360;
    expect(end.attempts[0]?.failure?.message).toMatch(
      new RegExp(`^max_tokens .* limit is 200 tokens, and it was ${count} tokens`),
    );
  });

  it.skipIf(cli.id === 'cursor')('stops with the answer that costs too much', async () => {
    const end = await tripped({ maxUsd: 0.00001 }, cli, cli.isLive ? [...answers(1), hang] : answers(1));
    expect(end.attempts[0]?.failure).toMatchObject({ kind: 'guard' });
    expect(end.attempts[0]?.failure?.message).toContain('max_budget');
    expect(end.attempts[0]?.usage?.costUsd).toBeGreaterThan(0);
    expect(end.searched.length).toBeGreaterThan(0);
  });

  it('stops an agent that says nothing when its time is up', async () => {
    const end = await tripped({ maxTimeMs: 4000 }, cli, [...answers(1), hang], true);
    expectGoneOn(end);
    expect(end.attempts[0]?.failure?.message).toContain('max_time');
  });
});
