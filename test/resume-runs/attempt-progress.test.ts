import { describe, expect, it } from 'vitest';
import type { ResumeMark } from '../../src/report/resume-mark.js';
import {
  type AttemptMarks,
  lacksProgress,
  needsEarlierAttempt,
} from '../../src/resume-runs/attempt-progress.js';
import { progressOf } from './sample-runs.js';

let time = 0;

/** The latest first; each letter is the progress of one job attempt, `-` one without a mark. Each has its own time. */
function attempts(letters: string, name = 'agents'): readonly AttemptMarks[] {
  return [...letters].map((letter) => {
    time += 1;
    const mark: ResumeMark = { reason: 'limit', at: time * 1000, progress: progressOf(letter) };
    return new Map(letter === '-' ? [] : [[name, mark]]);
  });
}

/** The marks of two jobs in the same job attempts. */
function together(one: readonly AttemptMarks[], other: readonly AttemptMarks[]): readonly AttemptMarks[] {
  return one.map((marks, index) => new Map([...marks, ...(other[index] ?? [])]));
}

/** Job attempts that people started before the time of the limit. */
function early(count: number, mark: ResumeMark): readonly AttemptMarks[] {
  return Array.from({ length: count }, () => new Map([['agents', mark]]));
}

describe('progress over job attempts', () => {
  it.each([
    ['aaa', true],
    ['aaab', true],
    ['aab', false],
    ['aa', false],
    ['a', false],
    ['abb', false],
    ['bcd', false],
    // A step was dropped and passed again.
    ['aba', false],
  ])('%s lacks it: %s', (letters, expected) => {
    expect(lacksProgress(attempts(letters))).toBe(expected);
  });

  it('is missing if the job attempt between two equal marks has none', () => {
    expect(lacksProgress(attempts('a-a'))).toBe(true);
  });

  it('is unknown without a mark in the latest job attempt, or in the one that counts', () => {
    expect(lacksProgress(attempts('-aa'))).toBe(false);
    expect(lacksProgress(attempts('aa-'))).toBe(false);
    expect(lacksProgress([])).toBe(false);
  });

  it('is that of any job of the run', () => {
    expect(lacksProgress(together(attempts('aaa', 'one'), attempts('aaa', 'two')))).toBe(true);
    expect(lacksProgress(together(attempts('aaa', 'one'), attempts('cba', 'two')))).toBe(false);
  });

  it('does not count job attempts that ended before the time of the same limit', () => {
    const mark: ResumeMark = { reason: 'limit', at: 5_000_000, progress: progressOf('a') };
    expect(lacksProgress(early(3, mark))).toBe(false);
    expect(lacksProgress([...early(3, mark), ...attempts('aa')])).toBe(true);
    expect(lacksProgress([...early(3, mark), ...attempts('ab')])).toBe(false);
    const time: ResumeMark = { ...mark, reason: 'time' };
    expect(lacksProgress(early(3, time))).toBe(true);
  });

  it('needs three marks of a job, and gives up after eight job attempts', () => {
    const mark: ResumeMark = { reason: 'limit', at: 5_000_000, progress: progressOf('a') };
    expect(needsEarlierAttempt(attempts('a'))).toBe(true);
    expect(needsEarlierAttempt(attempts('aa'))).toBe(true);
    expect(needsEarlierAttempt(attempts('aaa'))).toBe(false);
    expect(needsEarlierAttempt(attempts('-'))).toBe(false);
    expect(needsEarlierAttempt(early(7, mark))).toBe(true);
    expect(needsEarlierAttempt(early(8, mark))).toBe(false);
  });
});
