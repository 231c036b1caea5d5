/** When a service accepts requests again, as texts and fields of the CLIs say it (docs/providers.md). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/failure.js';
import {
  findResetTime,
  type TimeSource,
  withResetAt,
  withResetIn,
  withResetTime,
} from '../../src/providers/reset-time.js';
import { holds } from '../fakes/holds.js';

const at = (text: string) => Date.parse(text);
/** A Saturday. Oslo is one hour ahead of UTC, New York five hours behind it. */
const now = at('2026-11-28T15:00:00Z');
const find = (text: string, zone = 'UTC', when = now) => {
  const found = findResetTime(text, { now: when, zone });
  return found === undefined ? undefined : new Date(found).toISOString();
};

describe('a time in a text', () => {
  it.each([
    ['Claude AI usage limit reached|1795888800', '2026-11-28T18:00:00.000Z'],
    ["You've hit your limit · resets 6pm (UTC)", '2026-11-28T18:00:00.000Z'],
    ["You've hit your 5-hour limit · resets 7:07pm (Europe/Oslo)", '2026-11-28T18:07:00.000Z'],
    ["You've hit your session limit · resets 5:30am (Asia/Calcutta)", '2026-11-29T00:00:00.000Z'],
    ['5-hour limit reached ∙ resets 6pm', '2026-11-28T18:00:00.000Z'],
    [
      'Session limit reached ∙ resets 4pm\n     /upgrade to increase your usage limit.',
      '2026-11-28T16:00:00.000Z',
    ],
    ['Claude usage limit reached. Your limit will reset at 1pm (Etc/GMT+5).', '2026-11-28T18:00:00.000Z'],
    ['Weekly limit reached · resets Dec 2, 7pm (Europe/Moscow) · /upgrade', '2026-12-02T16:00:00.000Z'],
    ["You've hit your weekly limit · resets Dec 2 at 4:30am (Asia/Calcutta)", '2026-12-01T23:00:00.000Z'],
    ["You're out of extra usage · resets Dec 2, 9am", '2026-12-02T09:00:00.000Z'],
    [
      'You’ve hit your usage limit. Upgrade to Pro (https://x.y) or try again at 7:07 PM.',
      '2026-11-28T19:07:00.000Z',
    ],
    ["You've hit your usage limit. Try again at Dec 1st, 2026 1:18 PM.", '2026-12-01T13:18:00.000Z'],
    ['or try again at Dec 3rd, 2026 3:05 PM.', '2026-12-03T15:05:00.000Z'],
    ['or try again at Dec 20, 2026, 7:38 AM', '2026-12-20T07:38:00.000Z'],
    ['Upgrade to Pro or try again in 2 days 3 hours 5 minutes.', '2026-11-30T18:05:00.000Z'],
    [
      '{"type":"usage_limit_reached","resets_at":1795888800,"resets_in_seconds":7}',
      '2026-11-28T18:00:00.000Z',
    ],
    ['{"type":"usage_limit_reached","resets_in_seconds":10800}', '2026-11-28T18:00:00.000Z'],
    ['Your quota will reset after 7h3m2.5s.', '2026-11-28T22:03:02.500Z'],
    ['Quota exceeded. Please retry in 7h3m2.5s.', '2026-11-28T22:03:02.500Z'],
    ['"quotaResetTimeStamp": "2026-11-28T18:00:00Z", "retryDelay": "9s"', '2026-11-28T18:00:00.000Z'],
    ['"@type": "google.rpc.RetryInfo", "retryDelay": "10800.5s"', '2026-11-28T18:00:00.500Z'],
    ['Usage limit reached for gemini-3. Access resets at 10:57 PM GMT-3.', '2026-11-29T01:57:00.000Z'],
    ['Requests per day. Quota resets at midnight Pacific Time.', '2026-11-29T08:00:00.000Z'],
    ['The quota will reset at 11-30 09:18:00 UTC.', '2026-11-30T09:18:00.000Z'],
    ['Your limit will reset at 2026-11-29 04:30:37', '2026-11-29T04:30:37.000Z'],
    ['reset at 2026-11-29T04:30:37+08:00', '2026-11-28T20:30:37.000Z'],
    ['Weekly usage limit reached. It will reset in 2 days 3 hours.', '2026-11-30T18:00:00.000Z'],
    ['It will reset in less than a minute', '2026-11-28T15:01:00.000Z'],
    ['Your quota will reset after 3h0m0s.. Retrying after 11880000ms...', '2026-11-28T18:00:00.000Z'],
    ['Please retry in 34.07s.\nSuggested retry after 34s.', '2026-11-28T15:00:34.070Z'],
  ])('%s', (text, expected) => {
    expect(find(text)).toBe(expected);
  });

  it('is in the zone of the machine if it names none', () => {
    expect(find('resets 6pm', 'Europe/Oslo')).toBe('2026-11-28T17:00:00.000Z');
    expect(find('try again at 3:05 PM.', 'America/New_York')).toBe('2026-11-28T20:05:00.000Z');
    expect(find('try again at Dec 1st, 2026 1:18 PM.', 'Asia/Tokyo')).toBe('2026-12-01T04:18:00.000Z');
  });

  it.each([
    ['an unknown zone', 'resets 6pm (Mars/Olympus)'],
    ['a short name that several countries use', 'resets 6pm (IST)'],
    ['a word after the time', 'try again at 6 PM XYZ'],
    ['25:00', 'resets 25:00'],
    ['13pm', 'resets 13pm'],
    ['0am', 'resets 0am'],
    ['a minute that does not exist', 'resets 6:75pm'],
    ['a day that does not exist', 'resets Nov 31, 9am'],
    ['a month that does not exist', 'reset at 2026-13-01 10:00'],
    ['only a day', 'Your usage limits will reset when your monthly cycle ends on 11/29/2026.'],
    ['another language', 'try again at 10 de dez. de 2026, 11:52.'],
    ['no time', "You've hit your usage limit. Try again later."],
    ['a number without a unit', 'resets 3 times a day, try again in 5 attempts'],
    ['a day after the time', 'resets 6pm tomorrow'],
    ['a day after the time and its zone', 'resets at 9am (UTC) on Monday'],
    ['a date after the time', 'try again at 3:05 PM on Dec 1st'],
    ['months', 'try again in 2 months'],
    ['two times', '5-hour limit resets 6pm, weekly limit resets Dec 2, 9am'],
    ['a day that is over', 'resets Nov 27, 9am'],
    ['a moment that is over', 'Claude AI usage limit reached|1766502000'],
    ['more than 35 days ahead', 'try again at Jan 5th, 2027 3:05 PM. resets in 40 days'],
    ['a time in the words of a model', 'I will fix the limit at 6pm.'],
  ])('is absent: %s', (_what, text) => {
    expect(find(text)).toBeUndefined();
  });

  it('is absent if the first form cannot be read, although another one follows', () => {
    expect(find('resets 6pm (Mars/Olympus). Please try again in 2s.')).toBeUndefined();
  });

  it('is absent if the zone of the machine is unknown', () => {
    expect(find('resets 6pm', 'Nowhere/Land')).toBeUndefined();
    expect(find('resets 6pm (UTC)', 'Nowhere/Land')).toBe('2026-11-28T18:00:00.000Z');
  });

  it('may just be over', () => {
    expect(find('resets 2:57pm')).toBe('2026-11-28T14:57:00.000Z');
    expect(find('resets 2:54pm')).toBe('2026-11-29T14:54:00.000Z');
    expect(find('resets 11:58pm', 'UTC', at('2026-11-29T00:01:00Z'))).toBe('2026-11-28T23:58:00.000Z');
  });

  it('of a day without a year is in the next year after December', () => {
    expect(find('resets Jan 2, 9am', 'UTC', at('2026-12-30T10:00:00Z'))).toBe('2027-01-02T09:00:00.000Z');
  });
});

describe('noon and midnight', () => {
  it.each([
    ['12am', '2026-11-29T00:00:00.000Z'],
    ['12pm', '2026-11-29T12:00:00.000Z'],
    ['12:30am', '2026-11-29T00:30:00.000Z'],
    ['12:30 PM', '2026-11-29T12:30:00.000Z'],
    ['midnight', '2026-11-29T00:00:00.000Z'],
    ['noon', '2026-11-29T12:00:00.000Z'],
    ['00:00', '2026-11-29T00:00:00.000Z'],
  ])('%s', (text, expected) => {
    expect(find(`resets ${text}`)).toBe(expected);
  });
});

describe('days on which clocks change', () => {
  const spring = at('2026-03-29T00:30:00Z');
  const autumn = at('2026-10-24T23:30:00Z');

  it('count the hours that pass', () => {
    expect(find('resets 6am', 'Europe/Oslo', spring)).toBe('2026-03-29T04:00:00.000Z');
    expect(find('resets 6am', 'Europe/Oslo', autumn)).toBe('2026-10-25T05:00:00.000Z');
  });

  it('a time that clocks skip is absent', () => {
    expect(find('resets 2:30am', 'Europe/Oslo', spring)).toBeUndefined();
    // In the afternoon, it is the time of the next day.
    expect(find('resets 2:30am', 'Europe/Oslo', at('2026-03-29T13:00:00Z'))).toBe('2026-03-30T00:30:00.000Z');
  });

  it('of a time that clocks show twice, it is the next one', () => {
    expect(find('resets 2:30am', 'Europe/Oslo', autumn)).toBe('2026-10-25T00:30:00.000Z');
    expect(find('resets 2:30am', 'Europe/Oslo', at('2026-10-25T00:40:00Z'))).toBe('2026-10-25T01:30:00.000Z');
  });
});

describe('any time that a CLI prints in its zone', () => {
  const zones = [
    'UTC',
    'Europe/Oslo',
    'America/New_York',
    'America/St_Johns',
    'Asia/Kathmandu',
    'Asia/Calcutta',
    'Australia/Lord_Howe',
    'Pacific/Chatham',
    'Pacific/Kiritimati',
    'Pacific/Pago_Pago',
    'Africa/Casablanca',
  ] as const;
  const minute = 60_000;
  const moment = fc
    .integer({ min: at('2026-01-01T00:00:00Z') / minute, max: at('2029-01-01T00:00:00Z') / minute })
    .map((count) => count * minute);

  it('is read as that moment, unless clocks show it twice', () =>
    holds(
      fc.property(
        moment,
        fc.integer({ min: 1, max: 23 * 60 }),
        fc.constantFrom(...zones),
        (when, wait, zone) => {
          const reset = when + wait * minute;
          const clock = new Date(reset).toLocaleTimeString('en-US', {
            timeZone: zone,
            hour: 'numeric',
            minute: '2-digit',
          });
          for (const text of [`resets ${clock} (${zone})`, `try again at ${clock}.`]) {
            const found = findResetTime(text, { now: when, zone });
            const isSame =
              found !== undefined &&
              new Date(found).toLocaleTimeString('en-US', {
                timeZone: zone,
                hour: 'numeric',
                minute: '2-digit',
              }) === clock;
            expect(isSame).toBe(true);
            // On a day with 23 or 25 hours another moment may show the same time first.
            if (found !== reset) expect(found).toBeLessThan(reset);
          }
        },
      ),
    ));

  it('with its day is read as that moment, up to 35 days ahead', () =>
    holds(
      fc.property(
        moment,
        fc.integer({ min: 1, max: 34 * 24 * 60 }),
        fc.constantFrom(...zones),
        (when, wait, zone) => {
          const reset = when + wait * minute;
          const options = {
            timeZone: zone,
            month: 'short',
            day: 'numeric',
            hour: 'numeric',
            minute: '2-digit',
          } as const;
          const text = new Date(reset).toLocaleString('en-US', options);
          const found = findResetTime(`resets ${text} (${zone})`, { now: when, zone: 'UTC' });
          expect(found === undefined ? '' : new Date(found).toLocaleString('en-US', options)).toBe(text);
          expect(Math.abs((found ?? 0) - reset)).toBeLessThanOrEqual(3_600_000);
        },
      ),
    ));

  it('never throws, and is never long over or far ahead', () =>
    holds(
      fc.property(
        moment,
        fc.string(),
        fc.constantFrom('resets ', 'try again at ', 'reset after ', 'reached|', 'resets_at: '),
        fc.constantFrom(...zones, ''),
        fc.stringMatching(/^[0-9:apm TZ,()./+-]{0,30}$/),
        (when, noise, words, zone, text) => {
          const found = findResetTime(`limit reached ${words}${text}${noise}`, { now: when, zone });
          if (found === undefined) return;
          expect(found).toBeGreaterThanOrEqual(when - 5 * minute);
          expect(found).toBeLessThanOrEqual(when + 35 * 24 * 60 * minute);
        },
      ),
    ));
});

describe('a failure', () => {
  const time: TimeSource = { now: () => now, zone: 'UTC' };
  const refused: Failure = { kind: 'rate-limit', message: 'The limit resets 6pm' };
  const hours3 = 3 * 3_600_000;

  it('gets the time, and the wait until then', () => {
    expect(withResetTime(refused, time)).toEqual({
      ...refused,
      acceptsAgainAt: now + hours3,
      retryAfterMs: hours3,
    });
    expect(withResetIn(refused, hours3, time)).toEqual(withResetTime(refused, time));
  });

  it('gets no wait if the time is just over', () => {
    const failure = withResetTime({ ...refused, message: 'resets 2:58pm' }, time);
    expect(failure).toEqual({ kind: 'rate-limit', message: 'resets 2:58pm', acceptsAgainAt: now - 120_000 });
  });

  it('takes seconds and milliseconds', () => {
    for (const value of [(now + hours3) / 1000, now + hours3])
      expect(withResetAt(refused, value, time).acceptsAgainAt).toBe(now + hours3);
    for (const value of [0, -5, Number.NaN, 1_766_502_000, 9e15, undefined])
      expect(withResetAt(refused, value, time)).toEqual(refused);
  });

  it('of another kind stays as it is', () => {
    const crash: Failure = { kind: 'crash', message: 'resets 6pm' };
    expect(withResetTime(crash, time)).toBe(crash);
    expect(withResetAt(crash, now + hours3, time)).toBe(crash);
    expect(withResetIn(crash, hours3, time)).toBe(crash);
  });
});
