import { ApiError } from '@wcc/api';
import { assertNotTooLarge } from './too-large.ts';

/** Facts from the header of a qcow2 file, after every check that needs only the header. */
export interface Qcow2Header {
  virtualSizeBytes: number;
  clusterBytes: number;
}

export interface HeaderLimits {
  fileBytes: number;
  maxVirtualSizeBytes: number;
}

/** Bytes to read: the extensions end within the first cluster, which has at most 2 MiB. */
export const headerReadBytes = 65_536;

const [firstVersion, lastVersion] = [2, 3];
/** QEMU's own limits (block/qcow2.h): QCOW_MAX_L1_SIZE, QCOW_MAX_REFTABLE_SIZE, QCOW_MAX_SNAPSHOTS. */
const maxL1Bytes = 32n * 1024n ** 2n;
const maxRefcountTableBytes = 8n * 1024n ** 2n;
const maxSnapshots = 65_536;
const feature = { dirty: 1n, corrupt: 2n, externalData: 4n, compression: 8n, extendedL2: 16n } as const;
const knownFeatures = 31n;
/** Header extension "external data file name". */
const externalDataExtension = 0x44415441;

const hostile = (message: string): ApiError => new ApiError('hostile_image', { message });
const unsupported = (message: string, hint: string): ApiError =>
  new ApiError('unsupported_format', { message, hint });

/**
 * Checks the header by QEMU's docs/interop/qcow2.txt before any program opens the file, because `qemu-img info`
 * opens an external data file.
 *
 * @throws ApiError `hostile_image`, `image_too_large`, `unsupported_format`
 */
export function parseQcow2Header(head: Buffer, limits: HeaderLimits): Qcow2Header {
  const fields = readFields(head);
  assertNoOtherFiles(head, fields);
  assertKnownFeatures(fields, limits);
  assertTablesPresent(fields, limits);
  return { virtualSizeBytes: Number(fields.virtualSize), clusterBytes: Number(fields.clusterBytes) };
}

interface Fields {
  version: number;
  backingOffset: bigint;
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

/** Section "Header"; all numbers are big-endian. */
function readFields(head: Buffer): Fields {
  if (head.length < 104) throw hostile('The qcow2 header is truncated.');
  const version = head.readUInt32BE(4);
  if (version < firstVersion || version > lastVersion) {
    const hint = 'Convert it to qcow2 version 3: qemu-img convert -O qcow2 FILE NEW.qcow2';
    throw unsupported(`Version ${version} of qcow is not supported; versions 2 and 3 are.`, hint);
  }
  const clusterBits = head.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21)
    throw hostile(`The qcow2 header has an invalid cluster size of 2^${clusterBits} bytes.`);
  const isNew = version === lastVersion;
  return {
    version,
    backingOffset: head.readBigUInt64BE(8),
    clusterBytes: 1n << BigInt(clusterBits),
    virtualSize: head.readBigUInt64BE(24),
    encryption: head.readUInt32BE(32),
    l1Entries: head.readUInt32BE(36),
    l1Offset: head.readBigUInt64BE(40),
    refcountOffset: head.readBigUInt64BE(48),
    refcountClusters: head.readUInt32BE(56),
    snapshots: head.readUInt32BE(60),
    snapshotsOffset: head.readBigUInt64BE(64),
    features: isNew ? head.readBigUInt64BE(72) : 0n,
    refcountOrder: isNew ? head.readUInt32BE(96) : 4,
    headerBytes: isNew ? head.readUInt32BE(100) : 72,
  };
}

/** A qcow2 file can name another file of this host in two ways. */
function assertNoOtherFiles(head: Buffer, fields: Fields): void {
  if (fields.backingOffset !== 0n) throw hostile('The qcow2 image needs a backing file.');
  const hasData = (fields.features & feature.externalData) !== 0n;
  if (hasData || hasExtension(head, fields, externalDataExtension))
    throw hostile('The qcow2 image has its data in another file.');
}

function hasExtension(head: Buffer, { headerBytes }: Fields, wanted: number): boolean {
  for (let at = headerBytes; at + 8 <= head.length;) {
    const type = head.readUInt32BE(at);
    if (type === 0) return false;
    if (type === wanted) return true;
    at += 8 + Math.ceil(head.readUInt32BE(at + 4) / 8) * 8;
  }
  return false;
}

function assertKnownFeatures(fields: Fields, { maxVirtualSizeBytes }: HeaderLimits): void {
  const { features, headerBytes, clusterBytes, virtualSize } = fields;
  if ((features & feature.corrupt) !== 0n) throw hostile('The qcow2 image is marked as damaged.');
  if ((features & ~knownFeatures) !== 0n)
    throw unsupported('The qcow2 image uses unsupported features.', 'Convert it with qemu-img convert.');
  if (fields.encryption !== 0)
    throw unsupported('The qcow2 image is encrypted.', 'Decrypt it with qemu-img convert first.');
  const isAligned = headerBytes % 8 === 0 && headerBytes >= 72 && BigInt(headerBytes) <= clusterBytes;
  if (!isAligned || (fields.version === lastVersion && headerBytes < 104))
    throw hostile(`The qcow2 header has an invalid length of ${headerBytes} bytes.`);
  if (fields.refcountOrder > 6) throw hostile('The qcow2 header has an invalid width of reference counts.');
  assertNotTooLarge(virtualSize, maxVirtualSizeBytes);
}

/** Refuses tables that are too large or beyond the end of the file. */
function assertTablesPresent(fields: Fields, { fileBytes }: HeaderLimits): void {
  const { clusterBytes, virtualSize, l1Entries, l1Offset, refcountOffset } = fields;
  const l1Bytes = BigInt(l1Entries) * 8n;
  const entryBytes = (fields.features & feature.extendedL2) === 0n ? 8n : 16n;
  const bytesPerL1Entry = clusterBytes * (clusterBytes / entryBytes);
  const needed = (virtualSize + bytesPerL1Entry - 1n) / bytesPerL1Entry;
  if (l1Bytes > maxL1Bytes)
    throw hostile(`The qcow2 header has an L1 table of ${l1Entries} entries, which is too large.`);
  if (BigInt(l1Entries) < needed)
    throw hostile('The L1 table of the qcow2 image is too small for its virtual size.');
  const refcountBytes = BigInt(fields.refcountClusters) * clusterBytes;
  if (refcountBytes > maxRefcountTableBytes)
    throw hostile('The reference count table of the qcow2 image is too large.');
  if (fields.snapshots > maxSnapshots)
    throw hostile(`The qcow2 header has ${fields.snapshots} snapshots, which is too many.`);
  const tables: [string, bigint, bigint][] = [
    ['L1 table', l1Offset, l1Bytes],
    ['table of reference counts', refcountOffset, refcountBytes],
    ['table of snapshots', fields.snapshotsOffset, fields.snapshots > 0 ? 1n : 0n],
  ];
  for (const [name, offset, bytes] of tables) {
    if (bytes === 0n) continue;
    if (offset % clusterBytes !== 0n || offset === 0n)
      throw hostile(`The ${name} of the qcow2 image is not aligned to clusters.`);
    if (offset + bytes > BigInt(fileBytes))
      throw hostile(`The file is truncated: the ${name} of the qcow2 image is beyond its end.`);
  }
}
