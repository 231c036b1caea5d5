/**
 * Guards through `dist/` and the stand-ins: what trips is ended with all that it started, and gone on with. Every
 * guard with every CLI: `test/engine/guards-of-clis.test.ts`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Machine } from '../rig/machine.js';
import type { AgentAction } from '../rig/stand-in.js';
import { createHarness } from './harness.js';

const env = { CURSOR_API_KEY: 'dummy-cursor-key' };

const commandActions = (count: number): readonly AgentAction[] =>
  Array.from({ length: count }, (_, index) => ({ run: `touch answer-${index + 1}` }));

/** Left in a session of its own, where no signal to the group of the agent gets it. */
const strays: readonly AgentAction[] =
  process.platform === 'linux' ? [{ spawn: 'exec setsid sleep 600' }] : [{ spawn: 'exec sleep 600' }];

const hang: AgentAction = { hang: true };

const step = (guard: string, agent: string) => `name: flow
steps:
  - name: impl
    type: code
    agent: ${agent}
    prompt: Build it.
    guard: {${guard}}
    gate: ["bash: true"]
    retry: [{exit: 2}]
`;

/** What does not go away; git may still be about to end. */
async function survivingProcesses(machine: Machine): Promise<readonly number[]> {
  let left = await machine.processes();
  for (let looks = 0; left.length > 0 && looks < 60; looks += 1) {
    await sleep(100);
    left = await machine.processes();
  }
  return left;
}

/** What the first attempt does; the second is done at once. */
async function runIntoGuard(guard: string, agent: string, first: readonly AgentAction[]) {
  const harness = await createHarness({ code: 'dist', workflow: step(guard, agent) });
  const alive: number[] = [];
  const { main } = await harness.runJob({
    env,
    rules: [{ call: 1, do: [...strays, ...first] }, { do: [{ say: 'Done.' }] }],
    inspect: async (machine) => void alive.push(...(await survivingProcesses(machine))),
  });
  const attempts = main.report?.steps[0]?.attempts ?? [];
  return { main, attempts, alive, calls: await harness.calls() };
}

function expectResumed({ main, attempts, alive, calls }: Awaited<ReturnType<typeof runIntoGuard>>) {
  expect(attempts.map(({ status, failure }) => failure?.kind ?? status)).toEqual(['guard', 'passed']);
  expect(attempts[0]?.gates).toEqual([]);
  expect(alive).toEqual([]);
  expect(calls.map(({ session }) => session.mode)).toEqual(['start', 'resume']);
  expect(calls[1]?.earlier).toHaveLength(1);
  expect(calls[1]?.prompt).toContain(attempts[0]?.failure?.message ?? 'no failure');
  expect(main.outputs.status).toBe('passed');
}

// An agent that were not stopped would hang.
it('stops at the first sign of a turn too many', async () => {
  const end = await runIntoGuard('max_turns: 2', 'claude-haiku-4-5', [...commandActions(3), hang]);
  expectResumed(end);
  expect(end.attempts[0]?.failure?.message).toContain('max_turns');
  expect(end.attempts[0]?.usage?.turns).toBe(3);
});

it('stops with the answer that takes too many tokens, by what the file of the session tells', async () => {
  const end = await runIntoGuard('max_tokens: 200', 'codex-gpt-5.4', [...commandActions(2), hang]);
  expectResumed(end);
  expect(end.attempts[0]?.failure?.message).toMatch(/^`max_tokens` .* 240 tokens used, limit 200 tokens/);
});

it('stops an agent that says nothing when its time is up', async () => {
  const end = await runIntoGuard('max_time: 4s', 'cursor', [...commandActions(1), hang]);
  expectResumed(end);
  expect(end.attempts[0]?.failure?.message).toContain('max_time');
});

it('ends an agent that takes no notice of SIGTERM', async () => {
  expectResumed(
    await runIntoGuard('max_turns: 1', 'claude-haiku-4-5', [
      ...commandActions(2),
      { hang: true, ignore: ['SIGTERM', 'SIGINT'] },
    ]),
  );
});
