import { defineConfig } from 'vitest/config';
import { needsHost } from './test/needs-host.ts';
import { SlowestFirst } from './test/slowest-first.ts';

/** Every wait in these tests has its own, shorter deadline. This timeout ends a test whose wait has none. */
const hangsAfterMs = 300_000;

/**
 * The projects run in four groups, one after the other. System tests mostly wait, so more of them run side by side
 * than there are processors. Browser tests also wait, but their pages must be painted in time: two run side by side.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    setupFiles: ['test/strict-process.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The default of one second is too short on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    sequence: { sequencer: SlowestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/*.test.ts', 'test/kit/**/*.test.ts'],
          exclude: [...needsHost],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'host',
          include: [...needsHost],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          testTimeout: hangsAfterMs,
          hookTimeout: hangsAfterMs,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: hangsAfterMs,
          hookTimeout: hangsAfterMs,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
