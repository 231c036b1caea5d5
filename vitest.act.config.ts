import { defineConfig } from 'vitest/config';

/** The action in nektos/act, which runs the steps of a job on this machine (`-P ubuntu-latest=-self-hosted`). */
export default defineConfig({
  test: {
    include: ['test/act/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    setupFiles: ['test/setup.ts'],
  },
});
