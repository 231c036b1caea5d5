/** A model service that refuses the first request for hours, with each CLI: the run waits, and nothing counts as progress. */
import { expect, it } from 'vitest';
import { runProgress } from '../../src/report/run-progress.js';
import { createCliHarness } from '../fakes/cli-harness.js';
import { agentStep, planOf } from '../fakes/plan.js';

it.each(['claude', 'codex', 'gemini', 'qwen', 'opencode', 'cursor'])('%s', async (agent) => {
  const resetsAt = Date.now() + 3 * 3_600_000;
  const { run } = createCliHarness({ rules: [{ do: [{ usageLimit: { resetsAt } }] }] });
  const state = await run(planOf([agentStep('impl', { agent, fallback: `${agent}-other` })]));
  expect(state.runEnded).toMatchObject({ status: 'waiting', reason: 'limit', failedStep: 'impl' });
  const attempts = state.steps.get('impl')?.attempts ?? [];
  // The fallback is limited too.
  expect(attempts.map((one) => `${one.agent} ${one.status}`)).toEqual([
    `${agent} cancelled`,
    `${agent}-other cancelled`,
  ]);
  const untouched = new Map(state.steps);
  for (const [path, step] of untouched) untouched.set(path, { ...step, attempts: [] });
  expect(runProgress(state)).toBe(runProgress({ ...state, steps: untouched }));
});
