/**
 * What has to be taken away after a test, for helpers that several files share: a hook at the top of such a file
 * would count for one test file alone, since those that run in one process share their modules.
 */
import { afterEach } from 'vitest';

const pending: (() => unknown)[] = [];

/** Done after the test that is running, last one first. */
export function cleanUpAfterTest(work: () => unknown): void {
  pending.push(work);
}

/** Once for each test file: `setup.ts`. */
export function registerCleanUps(): void {
  afterEach(async () => {
    for (const work of pending.splice(0).reverse()) await work();
  });
}
