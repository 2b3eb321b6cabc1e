import { damaged } from './findings.ts';
import type { ContentRefusal } from './findings.ts';

/** Facts from the header of a qcow2 file, after every check that needs only the header. */
export interface Qcow2Header {
  virtualSizeBytes: number;
  clusterBytes: number;
  /** Where the table of reference counts is, and the width of a count as a power of two. */
  refcountAt: number;
  refcountBytes: number;
  refcountOrder: number;
  /** Where the first table of the guest's data is, and the length of an entry in its second ones. */
  l1At: number;
  l1Bytes: number;
  l2EntryBytes: number;
  snapshots: number;
}

export interface Qcow2Limits {
  /** Null: not known yet. */
  fileBytes: number | null;
  /** The base of an overlay: the only file name that the header may have, in any directory. @default none */
  baseName?: string | undefined;
}

export const qcowMagic = 'QFI\u00fb';
const [firstVersion, lastVersion] = [2, 3];
/** QEMU's own limits (block/qcow2.h): QCOW_MAX_L1_SIZE, QCOW_MAX_REFTABLE_SIZE, QCOW_MAX_SNAPSHOTS. */
const maxL1Bytes = 32n * 1024n ** 2n;
const maxRefcountTableBytes = 8n * 1024n ** 2n;
const maxSnapshots = 65_536;
const maxBackingNameBytes = 1023;
const feature = { dirty: 1n, corrupt: 2n, externalData: 4n, compression: 8n, extendedL2: 16n } as const;
const knownFeatures = 31n;
/** Header extension "external data file name". */
const externalDataExtension = 0x44415441;
/** QEMU counts in sectors, and rounds the size of other writers down. */
const sectorBytes = 512n;

interface Fields {
  version: number;
  backingOffset: bigint;
  backingNameBytes: number;
  clusterBits: number;
  clusterBytes: bigint;
  virtualSize: bigint;
  encryption: number;
  l1Entries: number;
  l1Offset: bigint;
  refcountOffset: bigint;
  refcountClusters: number;
  snapshots: number;
  snapshotsOffset: bigint;
  features: bigint;
  refcountOrder: number;
  headerBytes: number;
}

/** Checks the header by QEMU's docs/interop/qcow2.txt. Reads nothing else, so no program opens what the header names. */
export function judgeQcow2(head: Uint8Array, limits: Qcow2Limits): Qcow2Header | ContentRefusal {
  if (head.length < 104) return damaged('truncated', 'The qcow2 header is truncated.');
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = view.getUint32(4);
  if (version < firstVersion || version > lastVersion)
    return {
      code: 'unsupported_format',
      reason: 'qcow_version',
      message: `Version ${version} of qcow is not supported; versions 2 and 3 are.`,
    };
  const fields = readFields(view, version);
  return (
    findOtherFile(head, fields, limits) ??
    findUnsupported(fields) ??
    findImpossible(fields) ??
    findMissingTable(fields, limits) ?? {
      virtualSizeBytes: Number(fields.virtualSize - (fields.virtualSize % sectorBytes)),
      clusterBytes: Number(fields.clusterBytes),
      refcountAt: Number(fields.refcountOffset),
      refcountBytes: fields.refcountClusters * Number(fields.clusterBytes),
      refcountOrder: fields.refcountOrder,
      l1At: Number(fields.l1Offset),
      l1Bytes: fields.l1Entries * 8,
      l2EntryBytes: l2EntryBytes(fields),
      snapshots: fields.snapshots,
    }
  );
}

/** Section "Header"; all numbers are big-endian. */
function readFields(view: DataView, version: number): Fields {
  const isNew = version === lastVersion;
  const clusterBits = view.getUint32(20);
  return {
    version,
    backingOffset: view.getBigUint64(8),
    backingNameBytes: view.getUint32(16),
    clusterBits,
    clusterBytes: 1n << BigInt(Math.min(clusterBits, 63)),
    virtualSize: view.getBigUint64(24),
    encryption: view.getUint32(32),
    l1Entries: view.getUint32(36),
    l1Offset: view.getBigUint64(40),
    refcountOffset: view.getBigUint64(48),
    refcountClusters: view.getUint32(56),
    snapshots: view.getUint32(60),
    snapshotsOffset: view.getBigUint64(64),
    features: isNew ? view.getBigUint64(72) : 0n,
    refcountOrder: isNew ? view.getUint32(96) : 4,
    headerBytes: isNew ? view.getUint32(100) : 72,
  };
}

/** A qcow2 file can name another file of this host in two ways. An empty name is none, as for QEMU. */
function findOtherFile(head: Uint8Array, fields: Fields, { baseName }: Qcow2Limits): ContentRefusal | null {
  const hasBacking = fields.backingOffset !== 0n && fields.backingNameBytes !== 0;
  const isExpected = baseName !== undefined && isPathTo(backingName(head, fields), baseName);
  if (hasBacking && !isExpected) return { code: 'hostile_image', reason: 'backing_file' };
  if ((fields.features & feature.externalData) === 0n && !hasExtension(head, fields, externalDataExtension))
    return null;
  return { code: 'hostile_image', reason: 'external_data' };
}

/** The pool of the base may have moved since. No program opens the path, because wcc names the base to each. */
function isPathTo(path: string | null, name: string): boolean {
  return path !== null && path.startsWith('/') && path.slice(path.lastIndexOf('/') + 1) === name;
}

function backingName(head: Uint8Array, { backingOffset, backingNameBytes }: Fields): string | null {
  if (backingNameBytes > maxBackingNameBytes || backingOffset > BigInt(head.length)) return null;
  const at = Number(backingOffset);
  // QEMU does not skip a byte order mark either.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(head.subarray(at, at + backingNameBytes));
}

function hasExtension(head: Uint8Array, { headerBytes }: Fields, wanted: number): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = headerBytes; at + 8 <= head.length;) {
    const type = view.getUint32(at);
    if (type === 0) return false;
    if (type === wanted) return true;
    at += 8 + Math.ceil(view.getUint32(at + 4) / 8) * 8;
  }
  return false;
}

function findUnsupported({ features, encryption }: Fields): ContentRefusal | null {
  if ((features & feature.corrupt) !== 0n) return damaged('marked_damaged');
  if ((features & ~knownFeatures) !== 0n) return { code: 'unsupported_format', reason: 'unknown_features' };
  return encryption === 0 ? null : { code: 'unsupported_format', reason: 'encrypted' };
}

function findImpossible(fields: Fields): ContentRefusal | null {
  const { version, headerBytes, clusterBits, clusterBytes, refcountOrder, virtualSize } = fields;
  const impossible = (message: string): ContentRefusal => damaged('malformed_qcow2', message);
  if (clusterBits < 9 || clusterBits > 21)
    return impossible(`The qcow2 header has an invalid cluster size of 2^${clusterBits} bytes.`);
  const isAligned = headerBytes % 8 === 0 && headerBytes >= 72 && BigInt(headerBytes) <= clusterBytes;
  if (!isAligned || (version === lastVersion && headerBytes < 104))
    return impossible(`The qcow2 header has an invalid length of ${headerBytes} bytes.`);
  if (refcountOrder > 6) return impossible('The qcow2 header has an invalid width of reference counts.');
  if (virtualSize > BigInt(Number.MAX_SAFE_INTEGER))
    return impossible(`The qcow2 header has an impossible virtual size of ${virtualSize} bytes.`);
  return null;
}

function l2EntryBytes({ features }: Fields): number {
  return (features & feature.extendedL2) === 0n ? 8 : 16;
}

/** Finds tables that are too large or beyond the end of the file. */
function findMissingTable(fields: Fields, { fileBytes }: Qcow2Limits): ContentRefusal | null {
  const { clusterBytes, virtualSize, l1Entries, l1Offset, refcountOffset, snapshots } = fields;
  const impossible = (message: string): ContentRefusal => damaged('malformed_qcow2', message);
  const l1Bytes = BigInt(l1Entries) * 8n;
  const entryBytes = BigInt(l2EntryBytes(fields));
  const bytesPerL1Entry = clusterBytes * (clusterBytes / entryBytes);
  const needed = (virtualSize + bytesPerL1Entry - 1n) / bytesPerL1Entry;
  if (l1Bytes > maxL1Bytes)
    return impossible(`The qcow2 header has an L1 table of ${l1Entries} entries, which is too large.`);
  if (BigInt(l1Entries) < needed)
    return impossible('The L1 table of the qcow2 image is too small for its virtual size.');
  const refcountBytes = BigInt(fields.refcountClusters) * clusterBytes;
  if (refcountBytes > maxRefcountTableBytes)
    return impossible('The reference count table of the qcow2 image is too large.');
  if (snapshots > maxSnapshots)
    return impossible(`The qcow2 header has ${snapshots} snapshots, which is too many.`);
  const tables: [string, bigint, bigint][] = [
    ['L1 table', l1Offset, l1Bytes],
    ['table of reference counts', refcountOffset, refcountBytes],
    ['table of snapshots', fields.snapshotsOffset, snapshots > 0 ? 1n : 0n],
  ];
  for (const [name, offset, bytes] of tables) {
    if (bytes === 0n) continue;
    if (offset % clusterBytes !== 0n || offset === 0n)
      return impossible(`The ${name} of the qcow2 image is not aligned to clusters.`);
    if (fileBytes !== null && offset + bytes > BigInt(fileBytes))
      return damaged('truncated', `The file is truncated: the ${name} of the qcow2 image is beyond its end.`);
  }
  return null;
}
