/** Sums and differences of usage. An absent number means "not reported" and stays absent (PROVIDER3). */
import { defined } from '../optional-keys.js';
import type { Cost } from './money.js';
import type { Usage } from './provider.js';

type UsageNumber = Exclude<keyof Usage, 'costIsEstimate'>;

const fields = [
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'turns',
  'costUsd',
] as const satisfies readonly UsageNumber[];

/** A usage without the numbers that are `undefined`. */
export function toUsage(numbers: { readonly [Field in UsageNumber]?: number | undefined }): Usage {
  const usage: MutableUsage = {};
  for (const field of fields) if (numbers[field] !== undefined) usage[field] = numbers[field];
  return usage;
}

/** The sum of the known numbers; `undefined` if none is known. */
export function sumKnown(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, number) => sum + number, 0);
}

/** The sum of the reported numbers. A number that is absent everywhere stays absent. One estimate makes the sum one. */
export function addUsage(...all: readonly Usage[]): Usage {
  const sum: MutableUsage = {};
  for (const field of fields) {
    let value: number | undefined;
    for (const usage of all) if (usage[field] !== undefined) value = (value ?? 0) + usage[field];
    if (value !== undefined) sum[field] = value;
  }
  return all.some((usage) => usage.costIsEstimate) ? { ...sum, costIsEstimate: true } : sum;
}

/** The cost of all of them together. It is incomplete if one of them has turns or tokens, but no cost. */
export function sumCosts(all: readonly Usage[]): Cost {
  const { costUsd, costIsEstimate } = addUsage(...all);
  const isIncomplete = costUsd !== undefined && all.some(hasUnknownCost);
  return { ...defined({ costUsd, costIsEstimate }), ...(isIncomplete ? { costIsIncomplete: true } : {}) };
}

function hasUnknownCost({ costUsd, turns = 0, inputTokens = 0, outputTokens = 0 }: Usage): boolean {
  return costUsd === undefined && turns + inputTokens + outputTokens > 0;
}

/**
 * What was spent between `before` and `total`. A number that is absent in `before` counts as 0. If a total is
 * smaller than before, the count was restarted, and the total is what was spent since then.
 */
export function subtractUsage(total: Usage, before: Usage): Usage {
  const restarted = fields.some((field) => (total[field] ?? Number.POSITIVE_INFINITY) < (before[field] ?? 0));
  if (restarted) return total;
  const usage: MutableUsage = {};
  for (const field of fields) {
    const value = total[field];
    if (value !== undefined) usage[field] = value - (before[field] ?? 0);
  }
  return usage;
}

/** Filled by plain loops, because that happens for every answer: functions for each field take as long as reading the line. */
type MutableUsage = { -readonly [Field in UsageNumber]?: number };
