/** Clock times in time zones. Pure: `Intl` has the rules of the zones, summer time included. */

/** A time as a clock and a calendar show it. `month` from 1. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second?: number;
}

const dayMs = 86_400_000;

/**
 * A zone by the name that CLIs print: `Europe/Oslo`, `UTC`, `GMT-3`, `UTC+05:30`. `undefined` for an unknown name, and
 * for short names such as `IST`, which several countries use.
 */
export function readZone(name: string): Zone | undefined {
  const offset = /^(?:UTC|GMT)(?:([+-])(\d{1,2})(?::?([0-5]\d))?)?$/i.exec(name);
  if (offset !== null) {
    const [, sign, hours = '0', minutes = '0'] = offset;
    const ms = (Number(hours) * 60 + Number(minutes)) * 60_000;
    return ms > dayMs / 2 + 2 * 3_600_000 ? undefined : fixedZone(sign === '-' ? -ms : ms);
  }
  return /^[A-Za-z_]+\/[\w/+-]+$/.test(name) ? namedZone(name) : undefined;
}

/** What a zone's clocks are ahead of UTC, in milliseconds, at a moment in milliseconds since 1970. */
export type Zone = (at: number) => number;

const fixedZone = (ms: number): Zone => {
  return () => ms;
};

function namedZone(timeZone: string): Zone | undefined {
  const format = clockFormat(timeZone);
  if (format === undefined) return undefined;
  return (at) => {
    const parts = Object.fromEntries(
      format.formatToParts(at).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
  };
}

function clockFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  const number = 'numeric';
  const fields = {
    year: number,
    month: number,
    day: number,
    hour: number,
    minute: number,
    second: number,
  } as const;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', calendar: 'gregory', ...fields });
  } catch {
    return undefined;
  }
}

/**
 * The moments at which clocks in the zone show this time, in order, in milliseconds since 1970: two if the clocks are
 * put back, none if they skip it, and none for a time that does not exist.
 */
export function momentsOf(wall: WallTime, zone: Zone): readonly number[] {
  if (!isRealTime(wall)) return [];
  const asUtc = utcOf(wall);
  const offsets = new Set([zone(asUtc - dayMs), zone(asUtc + dayMs)]);
  const moments = [...offsets].map((offset) => asUtc - offset);
  return moments.filter((at) => at + zone(at) === asUtc).sort((a, b) => a - b);
}

/** Whether clocks and calendars can show this: not 25:00, and not February 30. */
export function isRealTime(wall: WallTime): boolean {
  const { year, month, day, hour, minute, second = 0 } = wall;
  const date = new Date(utcOf(wall));
  const isHour = hour <= 23 && minute <= 59 && second <= 59;
  return (
    isHour && date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  );
}

/** The moment at which clocks in UTC show this time. */
export function utcOf({ year, month, day, hour, minute, second = 0 }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** The date that a calendar in the zone shows, some days later. */
export function dateIn(zone: Zone, at: number, daysLater = 0): Pick<WallTime, 'year' | 'month' | 'day'> {
  const date = new Date(at + zone(at) + daysLater * dayMs);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}
