/** The last line of `.ci/run`, from what the runs of vitest left. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/count-tests.mjs', import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gump-count-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function count(status: number, results: readonly string[]): Promise<string> {
  const files = results.map((_, index) => join(folder, `${index}.json`));
  for (const [index, text] of results.entries()) await writeFile(files[index] ?? '', text);
  const { stdout } = await promisify(execFile)(process.execPath, [script, `${status}`, ...files]);
  return stdout;
}

const result = (passed: number, failed: number): string =>
  JSON.stringify({ numPassedTests: passed, numFailedTests: failed });

test('adds up all runs', async () => {
  expect(await count(0, [result(10, 0), result(5, 0)])).toBe('15 passed, 0 failed\n');
  expect(await count(1, [result(10, 0), result(5, 2)])).toBe('15 passed, 2 failed\n');
});

test('a stage that failed without a failed test is one failure', async () => {
  expect(await count(1, [result(10, 0)])).toBe('10 passed, 1 failed\n');
  expect(await count(1, [])).toBe('0 passed, 1 failed\n');
});

test('an incomplete file of an interrupted run is ignored', async () => {
  expect(await count(143, [result(3, 0), '{"numPassed'])).toBe('3 passed, 1 failed\n');
});
