/** Lengths of time as the language writes them: `30m`, `1h30m`, `1.5h`, `90s`, `500ms`. */

const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const whole = /^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s))+$/;
const part = /(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s)/g;

// A year. Nothing waits longer, and what is longer than any timer takes would end at once.
const longest = 365 * 24 * 3_600_000;

/** In milliseconds, a whole number; `undefined` when the text is no length of time, or one above a year. */
export function readDuration(text: string): number | undefined {
  const written = text.trim();
  if (written.length > 40 || !whole.test(written)) return undefined;
  const parts = [...written.matchAll(part)].map(
    ([, count, unit]) => Number(count) * (units[unit ?? ''] ?? 0),
  );
  const sum = Math.round(parts.reduce((all, one) => all + one, 0));
  return sum <= longest ? sum : undefined;
}
