/** Durations in the words of CLIs and services: `7h3m2.5s`, `2 days 3 hours 5 minutes`, `250ms`. */

const second = 1000;
const hour = 3600 * second;
const units: readonly (readonly [RegExp, number])[] = [
  [/^(?:ms|msecs?|milliseconds?)$/i, 1],
  [/^(?:s|secs?|seconds?)$/i, second],
  [/^(?:m|mins?|minutes?)$/i, 60 * second],
  [/^(?:h|hrs?|hours?)$/i, hour],
  [/^(?:d|days?)$/i, 24 * hour],
  [/^(?:w|weeks?)$/i, 7 * 24 * hour],
];

const part = /^(?:,|\s|\band\b)*(\d+(?:\.\d+)?)\s?([a-z]+)/i;

/** Milliseconds of the duration at the start of the text. `undefined` if there is none, or if it has an unknown unit. */
export function readDuration(text: string): number | undefined {
  if (/^(?:less than )?an? (?:minute|min)\b/i.test(text)) return 60 * second;
  let rest = text;
  let ms: number | undefined;
  for (;;) {
    const found = part.exec(rest);
    if (found === null) return ms;
    const [whole, count = '', unit = ''] = found;
    const factor = units.find(([name]) => name.test(unit))?.[1];
    if (factor === undefined) return undefined;
    ms = (ms ?? 0) + Number(count) * factor;
    rest = rest.slice(whole.length);
  }
}
