/** Numbers of the language. Each may also be written as text (`"5"`). 0 means no limit. */
import { readDuration } from './duration.js';

/** In US dollars. */
export function readAmount(value: unknown): number | undefined {
  const number =
    typeof value === 'string' && /^\s*\d{1,12}(?:\.\d+)?\s*$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** A number of turns or tokens. */
export function readCount(value: unknown): number | undefined {
  const number = readAmount(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** In milliseconds. */
export function readTime(value: unknown): number | undefined {
  return typeof value === 'string' ? readDuration(value) : undefined;
}
