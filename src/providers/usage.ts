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
  return usageBy((field) => numbers[field]);
}

/** The sum of the known numbers; `undefined` if none is known. */
export function sumKnown(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, number) => sum + number, 0);
}

/** The sum of the reported numbers. A number that is absent everywhere stays absent. One estimate makes the sum one. */
export function addUsage(...all: readonly Usage[]): Usage {
  const sum = usageBy((field) => {
    let value: number | undefined;
    for (const usage of all) if (usage[field] !== undefined) value = (value ?? 0) + usage[field];
    return value;
  });
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
  return usageBy((field) => {
    const value = total[field];
    return value === undefined ? undefined : value - (before[field] ?? 0);
  });
}

/** A plain loop, because this runs for every answer: lists of entries would take as long as reading the line. */
function usageBy(numberOf: (field: UsageNumber) => number | undefined): Usage {
  const usage: { -readonly [Field in UsageNumber]?: number } = {};
  for (const field of fields) {
    const number = numberOf(field);
    if (number !== undefined) usage[field] = number;
  }
  return usage;
}
