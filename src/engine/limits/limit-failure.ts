/** The failures of limits that were reached, with their messages. */
import { type Failure, stoppedText } from '../../failure.js';
import { formatCost } from '../../providers/money.js';
import { type LimitUnit, limitKeyOf, limitTable, type SpendingField } from '../../workflow/limits.js';
import type { LimitHit } from './limit.js';

/** `spending` lists the steps and what each one spent. Empty: the message does not name them. */
export function limitHitFailure(hit: LimitHit, spending: string): Failure {
  const { limit, field, maximum } = hit;
  return toFailure(hit, [
    `${limitTitle(hit)} is reached: ${usedText(hit)} used, limit ${formatAmount(field, maximum)}.`,
    spending === '' ? '' : `Spent by ${spending}.`,
    limit.remedy(field),
  ]);
}

/** The failure if the remaining time is shorter than the wait that the model service needs. */
export function waitTooLongFailure(hit: LimitHit, ms: number, refused: Failure): Failure {
  const { limit, field, maximum, used } = hit;
  return toFailure(hit, [
    `${limitTitle(hit)} leaves no time to wait for the model service: ${formatAmount(field, used)} used, limit ${formatAmount(field, maximum)}, wait ${formatAmount(field, ms)}.`,
    limit.remedy(field),
    `The service reported: ${refused.message}`,
  ]);
}

function toFailure({ limit, field }: LimitHit, sentences: readonly string[]): Failure {
  const { kind, isInWorkflow } = limit;
  return {
    kind,
    message: sentences.filter((sentence) => sentence !== '').join(' '),
    ...(kind === 'budget' || field === 'maxUsd' ? { forAgent: stoppedText } : {}),
    ...(isInWorkflow ? { isSameInRerun: true } : {}),
  };
}

/** What was spent. An amount that differs from the limit only in digits that are not shown is more than the limit. */
function usedText({ field, maximum, used }: LimitHit): string {
  const [text, limitText] = [used, maximum].map((amount) => formatAmount(field, amount));
  const isExact = used <= maximum || text !== limitText || text?.startsWith('less than');
  return isExact ? `${text}` : `more than ${text}`;
}

function limitTitle({ limit, field }: LimitHit): string {
  return `\`${limitKeyOf(limit.kind, field)}\` of ${limit.owner}`;
}

const formats: Readonly<Record<LimitUnit, (amount: number) => string>> = {
  turns: (count) => `${count} ${count === 1 ? 'turn' : 'turns'}`,
  tokens: (count) => `${count} ${count === 1 ? 'token' : 'tokens'}`,
  dollars: (costUsd) => formatCost({ costUsd }),
  milliseconds: (ms) => `${formatDecimal(ms / 1000, 1)} s`,
};

export function formatAmount(field: SpendingField, amount: number): string {
  return formats[limitTable[field].unit](amount);
}

/** `digits` after the point. A number below 1 gets as many significant digits, so that it does not become 0. */
function formatDecimal(value: number, digits: number): string {
  const zeros = value > 0 ? Math.max(0, -Math.floor(Math.log10(value)) - 1) : 0;
  return value.toFixed(Math.min(digits + zeros, 20)).replace(/\.?0+$/, '');
}
