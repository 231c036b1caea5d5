import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ChainLink, type ChainPlan, planEntry } from '../../src/checkpoint/chain-policy.js';
import { holds } from '../fakes/holds.js';

interface Simulated {
  readonly chain: readonly ChainLink[];
  readonly stored: number;
  readonly state: number;
  readonly plans: readonly ChainPlan[];
}

const nothing: Simulated = { chain: [], stored: 0, state: 0, plans: [] };

/** A run in which the state grows by `sizes`. */
function simulate(sizes: readonly number[]): readonly Simulated[] {
  let last = nothing;
  return sizes.map((added) => {
    const { chain, stored, plans } = last;
    const state = last.state + added;
    const plan = planEntry(chain, stored);
    const replaced = chain.slice(plan.base).reduce((sum, { bytes }) => sum + bytes, 0);
    const bytes = plan.base === 0 ? state : replaced + added;
    last = {
      state,
      stored: stored + bytes,
      chain: [...chain.slice(0, plan.base), { bytes, level: plan.level }],
      plans: [...plans, plan],
    };
    return last;
  });
}

const sizes = fc.array(
  fc.integer({ min: 1, max: 7 }).chain((digits) => fc.integer({ min: 1, max: 10 ** digits })),
  { minLength: 1, maxLength: 300 },
);

it('stores at most three times the state, in chains of at most 16 entries that contain it once', () => {
  holds(
    fc.property(sizes, (added) => {
      for (const { chain, stored, state } of simulate(added)) {
        expect(chain.length).toBeLessThanOrEqual(16);
        expect(stored).toBeLessThanOrEqual(3 * state);
        expect(chain.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(state);
      }
    }),
    200,
  );
});

it('writes the bytes of 135 small increments at most twice, of 815 at most three times, and the whole state once', () => {
  const run = simulate([20_000_000, ...Array.from({ length: 815 }, () => 100)]);
  const plans = run.at(-1)?.plans ?? [];
  expect(plans.filter(({ base }) => base === 0)).toHaveLength(1);
  expect(Math.max(...plans.slice(0, 136).map(({ level }) => level))).toBe(1);
  expect(Math.max(...plans.map(({ level }) => level))).toBe(2);
});

it.each([
  ['increments that exceed the whole state', [10, 6, 5], 21, { base: 0, level: 0 }],
  ['the same, but too much was stored before', [10, 6, 5], 40, { base: 3, level: 0 }],
  ['nothing', [], 0, { base: 0, level: 0 }],
  ['small increments', [10, 5, 5], 20, { base: 3, level: 0 }],
])('after %s', (_what, bytes, stored, expected) => {
  expect(
    planEntry(
      bytes.map((size) => ({ bytes: size, level: 0 })),
      stored,
    ),
  ).toEqual(expected);
});

it('writes a whole state before a chain is too large to be read', () => {
  const chain = [600_000_000, 400_000_000].map((bytes) => ({ bytes, level: 0 }));
  expect(planEntry(chain, 5_000_000_000)).toEqual({ base: 0, level: 0 });
});
