/** A budget does not grow by numbers that cannot be true, with each CLI. */
import { describe, expect, it } from 'vitest';
import { createCliHarness } from '../fakes/cli-harness.js';
import { agentStep, planOf } from '../fakes/plan.js';

const lies = { inputTokens: -1_000_000, outputTokens: -5, cacheReadTokens: -7, costUsd: -5 };

describe.each(['claude', 'codex', 'gemini', 'qwen', 'opencode', 'cursor'])('%s', (agent) => {
  it('counts only what the second step spent', async () => {
    const { harness, run } = createCliHarness({ rules: [{ call: 1, usage: lies }] });
    const steps = ['first', 'second', 'third'].map((name) => agentStep(name, { agent }));
    const plan = { ...planOf(steps), budget: { maxTokens: 100 } };
    const state = await run(plan);
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'third' });
    expect(state.steps.get('first')?.attempts[0]?.usage.inputTokens ?? 0).toBe(0);
    expect(harness.warnings.join('\n')).toMatch(
      /Step `first`: .* reported `\w+` as -\d+, which cannot be true\. The number is ignored\./,
    );
  });
});
