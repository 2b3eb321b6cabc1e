import { expect, it } from 'vitest';
import { isNewerSidecar, parseCheckpoint } from './checkpoint.ts';

/** A sidecar exactly as release 0.1.0 wrote it. */
const released = {
  version: 1,
  operation: '01J9ZQ4T7Y3M5N8P2R6S0V1W4X',
  poolId: 'pool-1',
  phase: 'transfer',
  method: 'kernel-copy',
  offset: '1048576',
  doneBytes: '1048576',
  dataBytes: '4194304',
  writtenBytes: '1048576',
  partialInode: '131074',
  target: 'web-1.raw',
  source: { inode: '131073', size: '4194304', mtimeNs: '1700000000000000000' },
} as const;

it('reads a sidecar of release 0.1.0', () => {
  expect(parseCheckpoint(JSON.stringify(released))).toEqual(released);
  expect(isNewerSidecar(JSON.stringify(released))).toBe(false);
});

it('recognizes a sidecar of a newer version, and does not read it', () => {
  const text = JSON.stringify({ ...released, version: 2, addedLater: true });
  expect(parseCheckpoint(text)).toBeNull();
  expect(isNewerSidecar(text)).toBe(true);
});

it.each([
  '',
  '{',
  'null',
  '[]',
  '{"version":"2"}',
  '{"version":0}',
  '{"version":1.5}',
  JSON.stringify({ ...released, version: undefined }),
])('rejects malformed text as a sidecar of any version: %s', (text) => {
  expect(parseCheckpoint(text)).toBeNull();
  expect(isNewerSidecar(text)).toBe(false);
});
