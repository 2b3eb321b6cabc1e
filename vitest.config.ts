import { defineConfig } from 'vitest/config';

/** Every wait in these tests has its own deadline; this ends what hangs without one. A busy machine must not come near. */
const hangsAfterMs = 300_000;

/**
 * One run, four kinds of tests: `unit` beside the sources, `system` against a real server process, `e2e` in a
 * real browser, `crash` with SIGKILL. The first two share the processors; a browser, and a server that is killed at
 * a chosen moment, have them to themselves.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    setupFiles: ['test/strict-process.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A second, the default, is little on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/*.test.ts', 'test/kit/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          testTimeout: hangsAfterMs,
          hookTimeout: hangsAfterMs,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: hangsAfterMs,
          hookTimeout: hangsAfterMs,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
