import { defineConfig } from 'vitest/config';

/** The tests with the real CLIs from npm: `test/real/package.json` pins them, a mock model answers. */
export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    testTimeout: 180_000,
    hookTimeout: 600_000,
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    // Every scene has a home, a model and ports of its own. More than two CLIs at once take too much memory.
    maxWorkers: 2,
  },
});
