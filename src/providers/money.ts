/** The one form in which a cost is shown: in the log, the summary, errors and the plan. */
import type { Usage } from './provider.js';

/** The facts about a cost. `costIsIncomplete`: a part of it is unknown, so the whole is at least this. */
export type Cost = Pick<Usage, 'costUsd' | 'costIsEstimate'> & { readonly costIsIncomplete?: true };

/** Above this amount, hundredths of a dollar are exact enough. */
const exactBelow = 0.1;
const smallest = 0.0001;

/** `$0.42`, `$0.0031`, `less than $0.0001`; `~$0.42 (estimate)`, `at least $0.42`. An unknown cost is a dash. */
export function formatCost({ costUsd, costIsEstimate, costIsIncomplete }: Cost): string {
  if (costUsd === undefined) return '–';
  const start = costIsIncomplete ? 'at least ' : '';
  const end = costIsEstimate ? ' (estimate)' : '';
  if (costUsd > 0 && costUsd < smallest && start === '') return `less than $0.0001${end}`;
  return `${start}${costIsEstimate ? '~' : ''}${formatDollars(costUsd)}${end}`;
}

function formatDollars(usd: number): string {
  const rounded = Math.round(usd * 10_000) / 10_000;
  return `$${usd.toFixed(rounded > 0 && rounded < exactBelow ? 4 : 2)}`;
}
