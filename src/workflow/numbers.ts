/** Numbers of the language; each may be written as text too (`"5"`), and 0 is no limit. */
import { readDuration } from './duration.js';

/** Dollars. */
export function readAmount(value: unknown): number | undefined {
  const number =
    typeof value === 'string' && /^\s*\d{1,12}(?:\.\d+)?\s*$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** Turns or tokens. */
export function readCount(value: unknown): number | undefined {
  const number = readAmount(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Milliseconds. */
export function readTime(value: unknown): number | undefined {
  return typeof value === 'string' ? readDuration(value) : undefined;
}
