import { describe, expect, it } from 'vitest';
import { recognise } from './recognise.ts';

const none = new Uint8Array();

/** A qcow2 header by QEMU's docs/interop/qcow2.txt. */
function qcow2(changes: {
  version?: number;
  backing?: bigint;
  clusterBits?: number;
  size?: bigint;
  flags?: bigint;
}): Buffer {
  const header = Buffer.alloc(104);
  header.write('QFI\u{fb}', 0, 'latin1');
  header.writeUInt32BE(changes.version ?? 3, 4);
  header.writeBigUInt64BE(changes.backing ?? 0n, 8);
  header.writeUInt32BE(changes.clusterBits ?? 16, 20);
  header.writeBigUInt64BE(changes.size ?? 4_294_967_296n, 24);
  header.writeBigUInt64BE(changes.flags ?? 0n, 72);
  return header;
}

const ofHead = (head: Uint8Array): ReturnType<typeof recognise> =>
  recognise({ sizeBytes: 196_608, head, descriptor: none });

describe('recognition by content', () => {
  it('recognises qcow2 with the size of its header', () => {
    expect(ofHead(qcow2({}))).toEqual({ format: 'qcow2', virtualSizeBytes: 4_294_967_296 });
    expect(ofHead(qcow2({ version: 2, flags: 4n }))).toMatchObject({ format: 'qcow2' });
  });

  it('refuses qcow2 that names another file', () => {
    expect(ofHead(qcow2({ backing: 104n }))).toEqual({ refused: 'backing_file' });
    expect(ofHead(qcow2({ flags: 4n }))).toEqual({ refused: 'external_data' });
  });

  it.each([
    ['version 1', qcow2({ version: 1 })],
    ['version 4', qcow2({ version: 4 })],
    ['tiny clusters', qcow2({ clusterBits: 8 })],
    ['huge clusters', qcow2({ clusterBits: 22 })],
    ['a size beyond numbers', qcow2({ size: 2n ** 60n })],
    ['a header cut short', qcow2({}).subarray(0, 40)],
    ['a version 3 header cut short', qcow2({}).subarray(0, 80)],
  ])('a qcow2 with %s is malformed', (_what, head) => {
    expect(ofHead(head)).toEqual({ refused: 'malformed_qcow2' });
  });

  it('recognises an ISO by its first volume descriptor', () => {
    const descriptor = Buffer.from('CD001');
    expect(recognise({ sizeBytes: 40_000, head: none, descriptor })).toEqual({
      format: 'iso',
      virtualSizeBytes: 40_000,
    });
  });

  it('recognises everything else as raw, also an empty file', () => {
    expect(recognise({ sizeBytes: 0, head: none, descriptor: none })).toEqual({
      format: 'raw',
      virtualSizeBytes: 0,
    });
    expect(ofHead(Buffer.from('QFI'))).toMatchObject({ format: 'raw', virtualSizeBytes: 196_608 });
  });
});
