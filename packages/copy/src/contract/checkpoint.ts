import type { CopyMethod, FileIdentity } from './types.ts';

/** The sidecar's content: where a copy can resume. 64-bit values are decimal strings. */
export interface Checkpoint {
  /** 1: of release 0.1.0, without the change time of the source. */
  version: 1 | 2;
  /** The id of the copy. */
  operation: string;
  /** The option `tag` of the copy. Its stored name is `poolId`. */
  tag: string | null;
  /** `publishing`: the partial is complete and durable; the rename is next, or done. */
  phase: 'transfer' | 'publishing';
  method: CopyMethod;
  /** Every byte of the source before this offset is durable in the partial. */
  offset: string;
  /** `doneBytes`: data bytes before the offset; `dataBytes`: data bytes of the whole file. */
  doneBytes: string;
  dataBytes: string;
  /** Bytes written so far by all runs of this copy. */
  writtenBytes: string;
  partialInode: string;
  /** The final name without its directory; base64 if it is not UTF-8. */
  target: string | { base64: string };
  source: StoredIdentity;
}

/** The state of the source. Without its change time, a resumed copy compares what is copied with the source. */
export interface StoredIdentity extends Omit<FileIdentity, 'ctimeNs'> {
  ctimeNs: string | null;
}

/** Maximum length of a sidecar. File names have at most 255 bytes, so a valid sidecar is shorter. */
export const maxSidecarBytes = 16_384;

/** The version that this package writes; it reads version 1 as well. */
export const sidecarVersion = 2;
/** The version whose identities have no change time. */
const firstVersion = 1;

const methods: readonly CopyMethod[] = ['clone', 'kernel-copy', 'read-write'];
const decimal = /^\d{1,20}$/;

/** Parses a sidecar. Other programs can write to its directory, so anything unexpected makes it invalid. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const fields = parseObject(text);
  if (fields === null) return null;
  const source = isRecord(fields['source']) ? fields['source'] : {};
  const phase = fields['phase'];
  const method = methods.find((name) => name === fields['method']);
  const target = parseTarget(fields['target']);
  const { version, operation, poolId: tag } = fields;
  if (
    (version !== sidecarVersion && version !== firstVersion) ||
    typeof operation !== 'string' ||
    method === undefined ||
    target === null
  )
    return null;
  if (phase !== 'transfer' && phase !== 'publishing') return null;
  if (tag !== null && typeof tag !== 'string') return null;
  const identity = ['inode', 'size', 'mtimeNs'].map((key) => source[key]);
  const ctimeNs = version === firstVersion ? null : source['ctimeNs'];
  const { partialInode } = fields;
  if (!identity.every(isDecimal) || !isDecimal(partialInode)) return null;
  if (ctimeNs !== null && !isDecimal(ctimeNs)) return null;
  const [inode = '0', size = '0', mtimeNs = '0'] = identity;
  const progress = parseProgress(fields, size) ?? (phase === 'publishing' ? completeProgress(size) : null);
  if (progress === null) return null;
  return {
    version,
    operation,
    tag,
    phase,
    method,
    ...progress,
    partialInode,
    target,
    source: { inode, size, mtimeNs, ctimeNs },
  };
}

type CheckpointProgress = Pick<Checkpoint, 'offset' | 'doneBytes' | 'dataBytes' | 'writtenBytes'>;

/**
 * Release 0.1.0 could copy more than it had counted, so `doneBytes` may exceed `dataBytes` in its sidecars.
 */
function parseProgress(fields: Record<string, unknown>, size: string): CheckpointProgress | null {
  const { offset, doneBytes, dataBytes, writtenBytes } = fields;
  if (!isDecimal(offset) || !isDecimal(doneBytes) || !isDecimal(dataBytes) || !isDecimal(writtenBytes))
    return null;
  if (BigInt(offset) > BigInt(size)) return null;
  const isMore = BigInt(doneBytes) > BigInt(dataBytes);
  return { offset, doneBytes, dataBytes: isMore ? doneBytes : dataBytes, writtenBytes };
}

/** A complete copy. The proof of a publication must not depend on the numbers of its progress. */
function completeProgress(size: string): CheckpointProgress {
  return { offset: size, doneBytes: size, dataBytes: size, writtenBytes: size };
}

/** The text of a sidecar. Release 0.1.0 stored the tag as `poolId`, so that name stays. */
export function formatCheckpoint({ tag, ...fields }: Checkpoint): string {
  return JSON.stringify({ ...fields, poolId: tag });
}

/** Whether a newer version of this package wrote the sidecar: it is not malformed, but cannot be read. */
export function isNewerSidecar(text: string): boolean {
  const version = parseObject(text)?.['version'];
  return Number.isInteger(version) && Number(version) > sidecarVersion;
}

function parseTarget(value: unknown): Checkpoint['target'] | null {
  if (typeof value === 'string') return value;
  if (isRecord(value) && typeof value['base64'] === 'string') return { base64: value['base64'] };
  return null;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null; // not JSON: an incomplete or foreign file
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDecimal(value: unknown): value is string {
  return typeof value === 'string' && decimal.test(value);
}

export function packTarget(name: Uint8Array): Checkpoint['target'] {
  const bytes = Buffer.from(name);
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') };
}

export function unpackTarget(target: Checkpoint['target']): Buffer {
  return typeof target === 'string' ? Buffer.from(target) : Buffer.from(target.base64, 'base64');
}
