import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatInstant,
  readResumeMark,
  resumeReasons,
  resumeTitle,
  writeResumeMark,
} from '../../src/report/resume-mark.js';
import { holds } from '../fakes/holds.js';

const at = Date.UTC(2026, 10, 28, 18, 0, 0);
const mark = { reason: 'limit', at, progress: '0123456789abcdef' } as const;

describe('writes', () => {
  it('one line in the form that the annotations have', () => {
    expect(writeResumeMark(mark)).toBe(
      'gump-resume: {"v":1,"reason":"limit","at":"2026-11-28T18:00:00Z","progress":"0123456789abcdef"}',
    );
  });

  it('the title, and whole seconds that never lie before the moment', () => {
    expect(resumeTitle(at)).toBe('gump: resume at 2026-11-28T18:00:00Z');
    expect(formatInstant(at + 1)).toBe('2026-11-28T18:00:01Z');
    expect(formatInstant(at + 1000)).toBe('2026-11-28T18:00:01Z');
  });
});

describe('reads', () => {
  const written = fc.record({
    reason: fc.constantFrom(...resumeReasons),
    at: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
    progress: fc.stringMatching(/^[0-9a-f]{16}$/),
  });

  it('what was written, after any text', () => {
    holds(
      fc.property(written, fc.string(), (one, text) => {
        expect(readResumeMark(`${text}\n${writeResumeMark(one)}`)).toEqual(one);
      }),
    );
  });

  it('it with the line ends that a service may change or add', () => {
    expect(readResumeMark(`Text.\r\n${writeResumeMark(mark)}\r\n`)).toEqual(mark);
  });

  it('it with keys that a later version may add', () => {
    const line = writeResumeMark(mark).replace('}', ',"more":true}');
    expect(readResumeMark(line)).toEqual(mark);
  });

  it.each([
    ['no text', ''],
    ['another text', 'Error: process completed with exit code 1.'],
    ['a mark that is not in the last line', `${writeResumeMark(mark)}\nMore.`],
    ['another version', writeResumeMark(mark).replace('"v":1', '"v":2')],
    ['another reason', writeResumeMark(mark).replace('limit', 'rain')],
    ['no moment', writeResumeMark(mark).replace('2026-11-28T18:00:00Z', '2026-13-28T18:00:00Z')],
    ['a time without a zone', writeResumeMark(mark).replace('00Z', '00')],
    ['progress in another form', writeResumeMark(mark).replace('abcdef', 'ABCDEF')],
    ['no JSON', 'gump-resume: {"v":1'],
    ['no object', 'gump-resume: null'],
  ])('nothing from %s', (_what, message) => {
    expect(readResumeMark(message)).toBeUndefined();
  });
});
