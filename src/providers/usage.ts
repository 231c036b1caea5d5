/** Sums and differences of usage in which an absent number means "not said" and stays so (P3). */
import type { Usage } from './provider.js';

const fields = [
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'turns',
  'costUsd',
] as const satisfies readonly (keyof Usage)[];

/** A usage without the numbers that are `undefined`. */
export function usageOf(numbers: { readonly [Field in keyof Usage]: number | undefined }): Usage {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined));
}

/** The sum of what was said; a number that nobody said is absent. */
export function addUsage(...all: readonly Usage[]): Usage {
  const sum = (field: keyof Usage): number | undefined => {
    const said = all.flatMap((usage) => usage[field] ?? []);
    return said.length === 0 ? undefined : said.reduce((total, value) => total + value, 0);
  };
  return usageOf(Object.fromEntries(fields.map((field) => [field, sum(field)])));
}

/**
 * What was spent between `before` and `total`; a number absent in `before` counts as nothing spent yet. Where
 * a total is smaller than before, the count was started anew, and the total is what was spent since then.
 */
export function subtractUsage(total: Usage, before: Usage): Usage {
  const restarted = fields.some((field) => (total[field] ?? Number.POSITIVE_INFINITY) < (before[field] ?? 0));
  if (restarted) return total;
  const rest = (field: keyof Usage): number | undefined => {
    const value = total[field];
    return value === undefined ? undefined : value - (before[field] ?? 0);
  };
  return usageOf(Object.fromEntries(fields.map((field) => [field, rest(field)])));
}
