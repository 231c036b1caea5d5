/**
 * Guards through `dist/` and the stand-ins: an agent that exceeds a limit is stopped with all its processes, and the
 * next attempt resumes its session. `test/engine/cli-guards.test.ts` tests every guard with every CLI.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Machine } from '../rig/machine.js';
import type { AgentAction } from '../rig/stand-in.js';
import { createHarness } from './harness.js';

const env = { CURSOR_API_KEY: 'dummy-cursor-key' };

const commandActions = (count: number): readonly AgentAction[] =>
  Array.from({ length: count }, (_, index) => ({ run: `touch answer-${index + 1}` }));

/** A process in its own process session, which signals to the agent's process group do not reach. */
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

/** Waits up to 6 s, because git may still be running. */
async function survivingProcesses(machine: Machine): Promise<readonly number[]> {
  let left = await machine.processes();
  for (let looks = 0; left.length > 0 && looks < 60; looks += 1) {
    await sleep(100);
    left = await machine.processes();
  }
  return left;
}

/** `first` is what the first attempt does. The second one ends immediately. */
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

// An agent that is not stopped would hang.
it('stops at the beginning of a turn that exceeds the limit', async () => {
  const end = await runIntoGuard('max_turns: 2', 'claude-haiku-4-5', [...commandActions(3), hang]);
  expectResumed(end);
  expect(end.attempts[0]?.failure?.message).toContain('max_turns');
  expect(end.attempts[0]?.usage?.turns).toBe(3);
});

it('stops at the answer that exceeds the limit on tokens, as counted in the session file', async () => {
  const end = await runIntoGuard('max_tokens: 200', 'codex-gpt-5.4', [...commandActions(2), hang]);
  expectResumed(end);
  expect(end.attempts[0]?.failure?.message).toMatch(/^`max_tokens` .* 240 tokens used, limit 200 tokens/);
});

it('stops an agent without output when its time is up', async () => {
  const end = await runIntoGuard('max_time: 4s', 'cursor', [...commandActions(1), hang]);
  expectResumed(end);
  expect(end.attempts[0]?.failure?.message).toContain('max_time');
});

it('kills an agent that ignores SIGTERM', async () => {
  expectResumed(
    await runIntoGuard('max_turns: 1', 'claude-haiku-4-5', [
      ...commandActions(2),
      { hang: true, ignore: ['SIGTERM', 'SIGINT'] },
    ]),
  );
});
