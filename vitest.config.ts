import { defineConfig } from 'vitest/config';
import { needsOwnProcess } from './test/needs-own-process.ts';
import { needsHost } from './test/needs-host.ts';
import { SlowestFirst } from './test/slowest-first.ts';

/** Every wait in these tests has its own, shorter deadline. This timeout ends a test whose wait has none. */
const hangsAfterMs = 300_000;

/**
 * Unit tests run first. All other projects form one group: system and crash tests mostly wait, browser tests mostly
 * compute, so three of them together keep two processors busy, and no processor idles at the end of a project.
 */
const crossing = { maxWorkers: 3, sequence: { groupOrder: 1 } };

export default defineConfig({
  test: {
    pool: 'forks',
    setupFiles: ['test/strict-process.ts', 'test/strict-queries.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // The default of one second is too short on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    sequence: { sequencer: SlowestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/*.test.ts', 'test/kit/**/*.test.ts'],
          exclude: [...needsHost, ...needsOwnProcess],
          // A process for each of some 300 files would take longer than the tests in many of them.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'isolated',
          include: [...needsOwnProcess],
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
          ...crossing,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: hangsAfterMs,
          hookTimeout: hangsAfterMs,
          ...crossing,
        },
      },
      {
        extends: true,
        test: {
          name: 'packages',
          include: ['test/packages/**/*.test.ts'],
          testTimeout: hangsAfterMs,
          hookTimeout: hangsAfterMs,
          ...crossing,
        },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 120_000,
          ...crossing,
        },
      },
    ],
  },
});
