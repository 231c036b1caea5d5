import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { appendWhole } from '../../src/system/append-whole.js';
import { hasFullDisk, isDiskFull, openDiskReserve } from '../../src/system/disk-reserve.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gump-reserve-'));
  cleanUpAfterTest(() => rmSync(directory, { recursive: true, force: true }));
});

const full = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

describe('the reserve', () => {
  it('is given back when the disk is full, and the work is done again', () => {
    const reports: string[] = [];
    const reserve = openDiskReserve(directory, ({ message }) => reports.push(message));
    const file = join(directory, 'reserve');
    expect(existsSync(file)).toBe(true);
    let tries = 0;
    const work = () => {
      tries += 1;
      if (existsSync(file)) throw full();
      return 'done';
    };
    expect(reserve.use(work)).toBe('done');
    expect(reserve.use(work)).toBe('done');
    expect(tries).toBe(3);
    expect(reports).toEqual(['ENOSPC: no space left on device, write']);
  });

  it('does not hide other errors, or a disk that stays full', () => {
    const reserve = openDiskReserve(directory, () => undefined);
    const fail = (error: Error) => () =>
      reserve.use(() => {
        throw error;
      });
    expect(fail(new Error('other'))).toThrow('other');
    expect(existsSync(join(directory, 'reserve'))).toBe(true);
    expect(fail(full())).toThrow('ENOSPC');
  });
});

it.each([
  [full(), true],
  [new Error('git failed: fatal: write error: No space left on device'), true],
  [new Error('failed', { cause: full() }), true],
  [new Error('Disk quota exceeded'), true],
  [new Error('other'), false],
  ['ENOSPC', false],
])('%s: full %s', (error, expected) => {
  expect(isDiskFull(error)).toBe(expected);
});

it('a disk with space, or a missing directory, is not full', () => {
  expect(hasFullDisk(directory)).toBe(false);
  expect(hasFullDisk(join(directory, 'missing'))).toBe(false);
});

it.runIf(existsSync('/dev/full'))('a line that does not fit is an error', () => {
  const device = openSync('/dev/full', 'a');
  expect(() => appendWhole(device, 'two\n')).toThrow();
  closeSync(device);
});

it('lines are appended', () => {
  const file = join(directory, 'lines');
  const descriptor = openSync(file, 'a');
  appendWhole(descriptor, 'one\n');
  appendWhole(descriptor, 'zwei €\n');
  closeSync(descriptor);
  expect(readFileSync(file, 'utf8')).toBe('one\nzwei €\n');
});
