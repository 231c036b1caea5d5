/** Lengths of time as the language writes them. */

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `30m`, `1h30m`, `1.5h`, `500ms` in milliseconds; `undefined` for any other text, and for no time at all. */
export function readDuration(text: string): number | undefined {
  const written = text.trim();
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(written)) return undefined;
  const parts = written.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
  const sum = [...parts].reduce((ms, [, count, unit = '']) => ms + Number(count) * (units[unit] ?? 0), 0);
  return sum > 0 && Number.isSafeInteger(Math.round(sum)) ? Math.round(sum) : undefined;
}
