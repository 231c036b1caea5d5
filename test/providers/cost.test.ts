import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { loadCostEstimator, withEstimatedCost } from '../../src/providers/cost.js';
import type { Provider, Usage } from '../../src/providers/provider.js';
import { findProvider } from '../../src/providers/provider-registry.js';
import { addUsage } from '../../src/providers/usage.js';
import { holds } from '../fakes/holds.js';

const provider = (id: string): Provider => {
  const found = findProvider(id);
  if (found === undefined) throw new Error(`There is no ${id}.`);
  return found;
};

const million: Usage = { inputTokens: 1_000_000, outputTokens: 100_000, turns: 10 };
const estimate = await loadCostEstimator();
const costOf = (id: string, model: string | undefined, usage: Usage = million) =>
  estimate(provider(id), [model], usage).costUsd;

describe('a cost that was not reported', () => {
  test.each([
    ['claude', 'claude-opus-4-8[1m]'],
    ['claude', 'claude-haiku-4-5-20251001'],
    ['codex', 'gpt-5.4'],
    ['codex', 'gpt-5.3-codex'],
    ['gemini', 'gemini-2.5-flash'],
    ['gemini', 'gemini-3.1-pro-preview'],
    ['qwen', 'gpt-5.4'],
    ['opencode', 'anthropic/claude-haiku-4-5'],
    ['opencode', 'xai/grok-4'],
  ])('%s %s has a price', (id, model) => {
    expect(costOf(id, model)).toBeGreaterThan(0);
  });

  test.each([
    ['codex', 'no-such-model'],
    ['codex', undefined],
    ['qwen', 'qwen3-coder-plus'],
    ['opencode', 'my-gateway/some-model'],
    ['opencode', 'constructor/x'],
    ['opencode', 'no-slash'],
    ['cursor', 'gpt-5'],
  ])('%s %s has none', async (id, model) => {
    expect(estimate(provider(id), [model], million)).toBe(million);
    expect(await withEstimatedCost(provider(id), [model], million)).toBe(million);
  });

  it('is marked, also in a sum with a reported cost', async () => {
    const usage = await withEstimatedCost(provider('codex'), [undefined, 'gpt-5.4'], million);
    expect(usage).toMatchObject({ ...million, costIsEstimate: true });
    const sum = addUsage({ costUsd: 1 }, usage, { turns: 1 });
    expect(sum.costUsd).toBe(1 + (usage.costUsd ?? 0));
    expect(sum.costIsEstimate).toBe(true);
    expect(addUsage({ costUsd: 1 }, { costUsd: 2 })).toEqual({ costUsd: 3 });
  });

  it('does not change a reported cost, and needs tokens', () => {
    for (const usage of [{ ...million, costUsd: 0.5 }, {}, { turns: 1 }, { inputTokens: 0, outputTokens: 0 }])
      expect(estimate(provider('codex'), ['gpt-5.4'], usage)).toBe(usage);
  });

  it('is lower for tokens from the cache, whichever way the CLI counts them', () => {
    const whole = costOf('codex', 'gpt-5.4', { inputTokens: 1000 }) ?? 0;
    const cached = costOf('codex', 'gpt-5.4', { inputTokens: 1000, cacheReadTokens: 900 }) ?? 0;
    expect(cached).toBeLessThan(whole);
    const separate = costOf('opencode', 'openai/gpt-5.4', { inputTokens: 100, cacheReadTokens: 900 });
    expect(separate).toBeCloseTo(cached, 10);
  });

  it('uses the price of short requests for a session with many of them', () => {
    const usage = { inputTokens: 1_000_000, outputTokens: 1000 };
    const short = costOf('gemini', 'gemini-3.1-pro-preview', { ...usage, turns: 20 }) ?? 0;
    expect(short).toBeLessThan(costOf('gemini', 'gemini-3.1-pro-preview', { ...usage, turns: 1 }) ?? 0);
  });

  it('does not fall with more tokens', () => {
    const tokens = fc.nat(3_000_000);
    const models = fc.constantFrom(
      ['codex', 'gpt-5.4'],
      ['gemini', 'gemini-3.1-pro-preview'],
      ['claude', 'claude-sonnet-4-6'],
      ['opencode', 'anthropic/claude-haiku-4-5'],
    );
    const usage = fc.record({ inputTokens: tokens, outputTokens: tokens, turns: fc.nat(50) });
    holds(
      fc.property(
        models,
        usage,
        fc.nat(100_000),
        fc.nat(100_000),
        ([id = '', model], some, input, output) => {
          const more = {
            ...some,
            inputTokens: some.inputTokens + input,
            outputTokens: some.outputTokens + output,
          };
          const [less, most] = [costOf(id, model, some) ?? 0, costOf(id, model, more) ?? 0];
          expect(most).toBeGreaterThanOrEqual(less - 1e-9);
        },
      ),
    );
  });
});
