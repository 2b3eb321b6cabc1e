import type { ImageFormat } from '@wcc/api';

/** The format of a file, by its content. */
export type Recognition =
  | { format: ImageFormat; virtualSizeBytes: number }
  /** The reason of a refusal, for example because the header names other files, which a program would open. */
  | { refused: 'backing_file' | 'external_data' | 'malformed_qcow2' };

export interface Content {
  sizeBytes: number;
  head: Uint8Array;
  /** The bytes at {@link isoDescriptorOffset}; shorter or empty in a short file. */
  descriptor: Uint8Array;
}

/** ISO 9660 (ECMA-119 §8.1.2): the standard identifier of the first volume descriptor. */
export const isoDescriptorOffset = 0x8001;
const isoIdentifier = Buffer.from('CD001');

const qcowMagic = Buffer.from([0x51, 0x46, 0x49, 0xfb]);
/** Length of a version 2 header; version 3 has at least 104 bytes. */
const qcowHeaderBytes = 72;
const externalDataBit = 1n << 2n;

/**
 * Recognises an image by its content, once, when it is registered. Never again later, because a guest can write
 * any header into its raw disk.
 */
export function recognise(content: Content): Recognition {
  const head = Buffer.from(content.head.buffer, content.head.byteOffset, content.head.byteLength);
  if (head.subarray(0, 4).equals(qcowMagic)) return recogniseQcow2(head);
  const isIso = Buffer.from(content.descriptor).subarray(0, isoIdentifier.length).equals(isoIdentifier);
  return { format: isIso ? 'iso' : 'raw', virtualSizeBytes: content.sizeBytes };
}

/** Offsets as in QEMU's docs/interop/qcow2.txt, "Header"; all numbers big-endian. */
function recogniseQcow2(head: Buffer): Recognition {
  if (head.length < qcowHeaderBytes) return { refused: 'malformed_qcow2' };
  const version = head.readUInt32BE(4);
  const backingFileOffset = head.readBigUInt64BE(8);
  const clusterBits = head.readUInt32BE(20);
  const virtualSizeBytes = head.readBigUInt64BE(24);
  const isSane =
    (version === 2 || (version === 3 && head.length >= 104)) &&
    clusterBits >= 9 &&
    clusterBits <= 21 &&
    virtualSizeBytes <= BigInt(Number.MAX_SAFE_INTEGER);
  if (!isSane) return { refused: 'malformed_qcow2' };
  if (backingFileOffset !== 0n) return { refused: 'backing_file' };
  const incompatible = version === 3 ? head.readBigUInt64BE(72) : 0n;
  if ((incompatible & externalDataBit) !== 0n) return { refused: 'external_data' };
  return { format: 'qcow2', virtualSizeBytes: Number(virtualSizeBytes) };
}
