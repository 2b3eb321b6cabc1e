/**
 * Unit tests that need loop mounts, hypervisors or Chromium, as globs. They form the vitest project `host`, which
 * `npm run test:quick` leaves out.
 */
export const needsHost: readonly string[] = [
  'packages/copy/src/conformance.test.ts',
  'packages/copy/src/clone/clone.test.ts',
  'packages/copy/src/inspect/preallocated.test.ts',
  'packages/copy/src/job/inspect-file.test.ts',
  'packages/copy/src/storage/failures.test.ts',
  'packages/progress/src/element/{element,direction,ready-file,upgrade}.test.ts',
  'packages/copy/src/tree/file-systems.test.ts',
  'packages/copy/src/tree/power-cut.test.ts',
  'packages/server/src/doctor/mounts.test.ts',
  'packages/server/src/http/rights-that-end.test.ts',
  'packages/server/src/http/rights/matrix.test.ts',
  'packages/server/src/http/routes/machine*.test.ts',
  'packages/server/src/images/copy/full-disk.test.ts',
  'packages/server/src/machines/**/*.test.ts',
  'test/kit/browser/*.test.ts',
];
