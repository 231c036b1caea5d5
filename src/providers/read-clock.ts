/** Clock times in the words of CLIs and services, with or without a day and a zone: `Dec 2, 9am (Europe/Oslo)`. */
import { dateIn, isRealTime, momentsOf, readZone, utcOf, type WallTime, type Zone } from './zone-time.js';

/** The present time in milliseconds since 1970, and the zone of times without one. */
export interface Present {
  readonly now: number;
  readonly zone: string;
}

/** A time may be over for this long: the text is read later than it was written, and shows whole minutes. */
export const pastToleranceMs = 5 * 60_000;

type DayOf = (daysLater: number) => Pick<WallTime, 'year' | 'month' | 'day'>;

interface Expression {
  /** A day with its year, without its year, or none. */
  readonly day?: { readonly year?: number; readonly month: number; readonly day: number };
  readonly time: Pick<WallTime, 'hour' | 'minute' | 'second'>;
  readonly zone: Zone;
}

/**
 * The moment that the text starts with, in milliseconds since 1970: of a time without a day the next such moment, of a
 * day without a year the next such day. `undefined` if the text starts with no time, or with one that cannot be read.
 */
export function readClock(text: string, present: Present): number | undefined {
  const expression = readExpression(text, present.zone);
  if (expression === undefined) return undefined;
  const { day, time, zone } = expression;
  const earliest = present.now - pastToleranceMs;
  const today: DayOf = (daysLater) => dateIn(zone, earliest, daysLater);
  const days = day === undefined ? [today(0), today(1)] : yearsOf(day, today(0).year);
  for (const date of days) {
    const wall = { ...date, ...time };
    const next = momentsOf(wall, zone).find((at) => at >= earliest);
    if (next !== undefined) return next;
    // A time that is still to come but that no clock will show: another day would be a guess.
    if (!isRealTime(wall) || utcOf(wall) - zone(earliest) >= earliest) return undefined;
  }
  return undefined;
}

function yearsOf(
  { year, month, day }: NonNullable<Expression['day']>,
  present: number,
): readonly Pick<WallTime, 'year' | 'month' | 'day'>[] {
  return (year === undefined ? [present, present + 1] : [year]).map((one) => ({ year: one, month, day }));
}

function readExpression(text: string, ownZone: string): Expression | undefined {
  const [day, afterDay] = takeDay(text);
  const [time, rest] = takeTime(afterDay);
  if (time === undefined) return undefined;
  const zone = takeZone(rest, ownZone);
  if (day === undefined && dayAfterTime.test(rest)) return undefined;
  return zone && { time, zone, ...(day === undefined ? {} : { day }) };
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const monthName =
  '(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)';
const namedDay = new RegExp(
  `^(${monthName})\\.? (\\d{1,2})(?:st|nd|rd|th)?(?:,? (\\d{4}))?(?:,? at |, | )`,
  'i',
);
const numberedDay = /^(?:(\d{4})-)?(\d{2})-(\d{2})(?:T| )/;

function takeDay(text: string): readonly [Expression['day'], string] {
  const named = namedDay.exec(text);
  if (named !== null) {
    const [whole, month = '', day, year] = named;
    return [dayOf(year, months.indexOf(month.slice(0, 3).toLowerCase()) + 1, day), text.slice(whole.length)];
  }
  const numbered = numberedDay.exec(text);
  if (numbered === null) return [undefined, text];
  const [whole, year, month, day] = numbered;
  return [dayOf(year, Number(month), day), text.slice(whole.length)];
}

function dayOf(year: string | undefined, month: number, day: string | undefined): Expression['day'] {
  return { month, day: Number(day), ...(year === undefined ? {} : { year: Number(year) }) };
}

function takeTime(text: string): readonly [Expression['time'] | undefined, string] {
  const word = /^(midnight|noon)\b/i.exec(text)?.[1];
  if (word !== undefined)
    return [{ hour: word.toLowerCase() === 'noon' ? 12 : 0, minute: 0 }, text.slice(word.length)];
  const found = /^(\d{1,2})(?::(\d{2}))?(?::(\d{2})(?:\.\d+)?)?(?:\s?([ap])\.?m\b\.?)?/i.exec(text);
  if (found === null) return [undefined, text];
  const [whole, hours, minutes, seconds = '0', half] = found;
  // A number alone is no time.
  if (half === undefined && minutes === undefined) return [undefined, text];
  const hour = half === undefined ? Number(hours) : hourOfHalf(Number(hours), half);
  if (hour === undefined) return [undefined, text];
  return [{ hour, minute: Number(minutes ?? 0), second: Number(seconds) }, text.slice(whole.length)];
}

function hourOfHalf(hour: number, half: string): number | undefined {
  if (hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}

/** A day that follows the time: `6pm tomorrow`, `9am (UTC) on Monday`. No known form has one, so it is not read. */
const dayAfterTime = new RegExp(
  `^[^.;|]{0,40}?\\b(?:tomorrow|on (?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\\b|${monthName}\\b|\\d))`,
  'i',
);

/** The zone after a time; without one the machine's. `undefined` if it cannot be read. */
function takeZone(text: string, ownZone: string): Zone | undefined {
  const offset = /^(Z\b|[+-]\d{2}:?\d{2}\b)/.exec(text.trimStart())?.[1];
  if (offset !== undefined) return readZone(offset === 'Z' ? 'UTC' : `UTC${offset}`);
  if (/^\s?\(?(?:(?:US )?Pacific|PT)\b(?!\/)/i.test(text)) return readZone('America/Los_Angeles');
  const inBrackets = /^\s?\(([^)]*)\)/.exec(text)?.[1];
  if (inBrackets !== undefined) return readZone(inBrackets.trim());
  const word = /^\s([A-Z]{2,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|[A-Z][a-z]+\/[\w/+-]+)(?![\w/])/.exec(text)?.[1];
  return word === undefined ? readZone(ownZone) : readZone(word);
}
