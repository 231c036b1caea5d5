/** Durations as the language writes them: `30m`, `1h30m`, `1.5h`, `90s`, `500ms`. */

const unitMilliseconds: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const whole = /^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s))+$/;
const part = /(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s)/g;

// One year. A timer with a longer time than JavaScript supports would fire immediately.
const maxMilliseconds = 365 * 24 * 3_600_000;

/** Whole milliseconds; `undefined` if the text is not a duration or is longer than one year. */
export function readDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed.length > 40 || !whole.test(trimmed)) return undefined;
  const parts = [...trimmed.matchAll(part)].map(
    ([, count, unit]) => Number(count) * (unitMilliseconds[unit ?? ''] ?? 0),
  );
  const sum = Math.round(parts.reduce((all, one) => all + one, 0));
  return sum <= maxMilliseconds ? sum : undefined;
}
