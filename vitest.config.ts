import { defineConfig } from 'vitest/config';

/** `unit`: all but whole runs through `dist/`, which are in `action`. */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // A process takes many files, and loads what they share once.
    isolate: false,
    setupFiles: ['test/setup.ts'],
    // Much of the time is spent in programs that the tests start and wait for.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/{act,action,crash,demo,real}/**',
            'test/meta/self-test.test.ts',
            '**/node_modules/**',
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'action',
          include: ['test/{action,crash,demo}/**/*.test.ts', 'test/meta/self-test.test.ts'],
        },
      },
    ],
  },
});
