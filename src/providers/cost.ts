/**
 * The cost of tokens if the CLI does not report it: an estimate from the public prices of the model services.
 * A model without a public price has no cost.
 */
import { defined } from '../optional-keys.js';
import type { Provider, Usage } from './provider.js';

/** Adds the cost to a usage that has tokens but no cost. The first of the models that has a price counts. */
export type CostEstimator = (
  provider: Provider,
  models: readonly (string | undefined)[],
  usage: Usage,
) => Usage;

type PriceLibrary = typeof import('@pydantic/genai-prices');

/** Loaded on demand: loading half a megabyte of prices takes 25 ms, and most runs need none. */
export async function loadCostEstimator(): Promise<CostEstimator> {
  const library = await import(/* webpackMode: "eager" */ '@pydantic/genai-prices');
  return (provider, models, usage) => estimateCost(library, provider, models, usage);
}

/** Returns `usage` unchanged if there is nothing to estimate. */
export async function withEstimatedCost(
  provider: Provider,
  models: readonly (string | undefined)[],
  usage: Usage,
): Promise<Usage> {
  if (provider.pricing === undefined || !needsEstimate(usage)) return usage;
  return (await loadCostEstimator())(provider, models, usage);
}

function needsEstimate({ costUsd, inputTokens = 0, outputTokens = 0 }: Usage): boolean {
  return costUsd === undefined && inputTokens + outputTokens > 0;
}

function estimateCost(
  library: PriceLibrary,
  { pricing }: Provider,
  models: readonly (string | undefined)[],
  usage: Usage,
): Usage {
  if (pricing === undefined || !needsEstimate(usage)) return usage;
  for (const model of models) {
    const offer = model === undefined ? undefined : pricing.priceReference(model);
    const costUsd =
      offer === undefined ? undefined : priceOf(library, offer, usage, pricing.inputIncludesCache);
    if (costUsd !== undefined) return { ...usage, costUsd, costIsEstimate: true };
  }
  return usage;
}

/** Long requests have different prices, so this is the price of an average turn times the number of turns. */
function priceOf(
  library: PriceLibrary,
  { service, model }: { readonly service?: string; readonly model: string },
  usage: Usage,
  inputHoldsCache: boolean,
): number | undefined {
  const turns = Math.max(1, usage.turns ?? 1);
  const { inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
  const cached = cacheReadTokens + cacheWriteTokens;
  const input = inputHoldsCache ? Math.max(inputTokens, cached) : inputTokens + cached;
  const tokens = {
    input_tokens: input / turns,
    output_tokens: outputTokens / turns,
    ...(cacheReadTokens === 0 ? {} : { cache_read_tokens: cacheReadTokens / turns }),
    ...(cacheWriteTokens === 0 ? {} : { cache_write_tokens: cacheWriteTokens / turns }),
  };
  try {
    const price = library.calcPrice(tokens, model, defined({ providerId: service }));
    return price === null ? undefined : price.total_price * turns;
  } catch {
    // The prices of the model do not cover these kinds of tokens, so the cost is unknown.
    return undefined;
  }
}
