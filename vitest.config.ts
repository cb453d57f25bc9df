import { defineConfig } from 'vitest/config';

/**
 * Tests of `domain` are pure and start nothing; all others share one PostgreSQL and one Temporal server, started once a run.
 * Forks, because Temporal's native module does not survive worker threads.
 */
const shared = {
  pool: 'forks',
  testTimeout: 30_000,
  hookTimeout: 30_000,
  teardownTimeout: 20_000,
  setupFiles: 'test/support/seed.ts',
} as const;

const pure = ['test/domain/**/*.test.ts'];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'pure', include: pure } },
      {
        test: {
          ...shared,
          name: 'servers',
          include: ['test/**/*.test.ts'],
          exclude: pure,
          globalSetup: ['test/support/global-setup.ts'],
        },
      },
    ],
  },
});
