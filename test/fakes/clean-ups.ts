/**
 * Clean-up after a test, for helpers that several test files share. A hook at the top of such a helper would run
 * for one test file only, because test files in one process share their modules.
 */
import { afterEach } from 'vitest';

const pending: (() => unknown)[] = [];

/** Runs the work after the current test; the last work runs first. */
export function cleanUpAfterTest(work: () => unknown): void {
  pending.push(work);
}

/** Called by `setup.ts`, once for each test file. */
export function registerCleanUps(): void {
  afterEach(async () => {
    for (const work of pending.splice(0).reverse()) await work();
  });
}
