/** A model service that limits requests for hours, with each CLI: the run waits without a running process. */
import { describe, expect, it } from 'vitest';
import { createCliHarness } from '../fakes/cli-harness.js';
import { agentStep, planOf } from '../fakes/plan.js';

const hour = 3_600_000;
const agents = ['claude', 'codex', 'gemini', 'qwen', 'opencode', 'cursor'];

/** One attempt whose agent answers once and then reaches the limit, and the attempt in the re-run. */
async function runTwice(agent: string, usageLimit: { readonly resetsAt: number; readonly waits?: boolean }) {
  const plan = planOf([agentStep('impl', { agent })]);
  const rules = [
    { call: 1, do: [{ run: 'true', say: 'Half of it is done.' }, { usageLimit }] },
    { do: [{ say: 'Done.' }] },
  ];
  const first = createCliHarness({ rules });
  const waiting = await first.run(plan);
  const failure = waiting.steps.get('impl')?.attempts[0]?.failure;
  const second = createCliHarness({ rules, after: first });
  const done = await second.run(plan, { jobAttempt: 2, now: usageLimit.resetsAt + 60_000 });
  return { waiting, failure, done, calls: await second.calls(), sleeps: first.harness.sleeps };
}

/** The texts of some CLIs have no seconds. */
const expectTime = (time: number | undefined, resetsAt: number) =>
  expect(Math.abs((time ?? 0) - resetsAt)).toBeLessThan(120_000);

describe.each(agents)('%s', (agent) => {
  it.each([3 * hour, 3 * 24 * hour])('that ends itself, at a limit of %s ms', async (ms) => {
    const resetsAt = Date.now() + ms;
    const { waiting, failure, done, calls, sleeps } = await runTwice(agent, { resetsAt });
    expect(failure?.kind).toBe('rate-limit');
    expectTime(failure?.acceptsAgainAt, resetsAt);
    expect([waiting.runEnded?.status, sleeps]).toEqual(['waiting', []]);
    expect(done.runEnded?.status).toBe('passed');
    expect(done.steps.get('impl')?.attempts.at(-1)?.number).toBe(1);
    expect(calls.map(({ session }) => session.mode)).toEqual(['start', 'resume']);
    expect(calls[1]?.session.id).toBe(calls[0]?.session.id);
    expect(calls[1]?.prompt).toContain('You were interrupted');
  });

  // Whether Cursor waits is unknown.
  it.skipIf(agent === 'cursor')('that would wait by itself', async () => {
    const resetsAt = Date.now() + 3 * hour;
    const { waiting, failure, done, calls } = await runTwice(agent, { resetsAt, waits: true });
    expect(failure?.kind).toBe('rate-limit');
    expectTime(failure?.acceptsAgainAt, resetsAt);
    expect(failure?.message).toContain('was stopped, because it would have waited by itself: ');
    expect(waiting.runEnded?.status).toBe('waiting');
    expect(done.runEnded?.status).toBe('passed');
    expect(calls.map(({ session }) => session.mode)).toEqual(['start', 'resume']);
  });
});
