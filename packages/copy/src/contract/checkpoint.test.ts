import { expect, it } from 'vitest';
import { formatCheckpoint, isNewerSidecar, parseCheckpoint } from './checkpoint.ts';

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
  const { poolId, ...fields } = released;
  const source = { ...fields.source, ctimeNs: null };
  expect(parseCheckpoint(JSON.stringify(released))).toEqual({ ...fields, source, tag: poolId });
  expect(isNewerSidecar(JSON.stringify(released))).toBe(false);
});

it('writes a sidecar with the field names of release 0.1.0', () => {
  const source = { ...released.source, ctimeNs: '1700000000000000001' };
  const current = { ...released, version: 2, source };
  const checkpoint = parseCheckpoint(JSON.stringify(current));
  expect(checkpoint).toMatchObject({ version: 2, source });
  expect(JSON.parse(formatCheckpoint(checkpoint!))).toEqual(current);
});

it('recognizes a sidecar of a newer version, and does not read it', () => {
  const text = JSON.stringify({ ...released, version: 3, addedLater: true });
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
  JSON.stringify({ ...released, version: 2 }),
  '{"version":1.5}',
  JSON.stringify({ ...released, version: undefined }),
])('rejects malformed text as a sidecar of any version: %s', (text) => {
  expect(parseCheckpoint(text)).toBeNull();
  expect(isNewerSidecar(text)).toBe(false);
});

it('D1: reads a sidecar of release 0.1.0 with more bytes copied than counted', () => {
  const overrun = { ...released, doneBytes: '4194304', dataBytes: '8192', writtenBytes: '4194304' };
  expect(parseCheckpoint(JSON.stringify(overrun))).toMatchObject({
    doneBytes: '4194304',
    dataBytes: '4194304',
  });
});

it.each([{ offset: '99999999999' }, { doneBytes: '-1' }, { dataBytes: null }, { writtenBytes: 'x' }])(
  'D1: the proof of a publication does not depend on progress, here %j',
  (progress) => {
    expect(parseCheckpoint(JSON.stringify({ ...released, ...progress }))).toBeNull();
    expect(parseCheckpoint(JSON.stringify({ ...released, ...progress, phase: 'publishing' }))).toMatchObject({
      phase: 'publishing',
      partialInode: released.partialInode,
      offset: released.source.size,
    });
  },
);
