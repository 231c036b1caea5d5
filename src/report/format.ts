/** Numbers and times as people read them; an unknown number is a dash. */
import { formatCost } from '../providers/money.js';
import type { Usage } from '../providers/provider.js';

export function formatDuration(ms: number | undefined): string {
  if (ms === undefined) return '–';
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function formatCount(count: number | undefined): string {
  // `toLocaleString` first loads the tables of all languages, which takes longer than the rest of the log.
  return count === undefined ? '–' : String(count).replace(/\d(?=(?:\d{3})+$)/g, '$&,');
}

/** `1,200`, `20.1k`, `3.4M`: short enough for a table. */
export function formatShortCount(count: number | undefined): string {
  if (count === undefined || count < 10_000) return formatCount(count);
  return count < 999_950 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}

/** `1 turn`, `2 turns`. */
export function formatTurns(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'turn' : 'turns'}`;
}

/** Turns, tokens and cost, one text each. A number that the CLI does not report has none. */
export function usageFacts(usage: Usage): readonly string[] {
  const { turns, inputTokens, outputTokens, costUsd } = usage;
  return [
    turns === undefined ? undefined : formatTurns(turns),
    inputTokens === undefined ? undefined : `${formatCount(inputTokens)} input tokens`,
    outputTokens === undefined ? undefined : `${formatCount(outputTokens)} output tokens`,
    costUsd === undefined ? undefined : formatCost(usage),
  ].filter((fact) => fact !== undefined);
}

/** A moment in UTC, for example `2026-11-30 18:00 UTC`: the first whole minute that is not before it. */
export function formatMinute(ms: number): string {
  const minute = new Date(Math.ceil(ms / 60_000) * 60_000).toISOString();
  return `${minute.slice(0, 16).replace('T', ' ')} UTC`;
}

/** A day in UTC, for example `2026-11-30`. */
export function formatDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
