/**
 * CLIs that wait by themselves for a usage limit, as a process that really waits: it is ended, and the run waits
 * instead. `test/engine/cli-limits.test.ts` tests every CLI.
 */
import { expect, it } from 'vitest';
import { createHarness } from './harness.js';

const env = { GEMINI_API_KEY: 'AIza-CANARY-0123456789abcdefghij' };

// Only their logs and standard error say that they wait.
it.each(['codex', 'gemini', 'opencode'])('%s is ended, and the run waits', async (agent) => {
  const harness = await createHarness({
    workflow: `name: flow\nsteps:\n  - {name: impl, type: code, agent: ${agent}, prompt: Build.}\n`,
  });
  const resetsAt = Date.now() + 3 * 3_600_000;
  const { main } = await harness.runJob({
    env,
    rules: [{ do: [{ write: 'begun.txt', say: 'I begin.' }, { usageLimit: { resetsAt, waits: true } }] }],
  });
  expect(main.outputs.status, main.log).toBe('waiting');
  expect(Math.abs(Date.parse(main.outputs['resume-at'] ?? '') - resetsAt)).toBeLessThan(120_000);
  expect(await harness.calls()).toHaveLength(1);
});
