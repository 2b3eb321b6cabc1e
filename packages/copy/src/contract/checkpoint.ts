import type { CopyMethod, SourceIdentity } from './types.ts';

/** The sidecar's content: where a copy can resume. 64-bit values are decimal strings. */
export interface Checkpoint {
  version: 1;
  /** The id of the copy. */
  operation: string;
  poolId: string | null;
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
  source: SourceIdentity;
}

/** Maximum length of a sidecar. File names have at most 255 bytes, so a valid sidecar is shorter. */
export const maxSidecarBytes = 16_384;

/** The version that this package writes, and the only one that it reads. */
const sidecarVersion = 1;

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
  const { operation, poolId } = fields;
  if (
    fields['version'] !== sidecarVersion ||
    typeof operation !== 'string' ||
    method === undefined ||
    target === null
  )
    return null;
  if (phase !== 'transfer' && phase !== 'publishing') return null;
  if (poolId !== null && typeof poolId !== 'string') return null;
  const numbers = ['offset', 'doneBytes', 'dataBytes', 'writtenBytes', 'partialInode'].map(
    (key) => fields[key],
  );
  const identity = ['inode', 'size', 'mtimeNs'].map((key) => source[key]);
  if (![...numbers, ...identity].every(isDecimal)) return null;
  const [offset = '0', doneBytes = '0', dataBytes = '0', writtenBytes = '0', partialInode = '0'] =
    numbers.map(String);
  const [inode = '0', size = '0', mtimeNs = '0'] = identity.map(String);
  if (BigInt(offset) > BigInt(size) || BigInt(doneBytes) > BigInt(dataBytes)) return null;
  const progress = { offset, doneBytes, dataBytes, writtenBytes, partialInode };
  return {
    version: sidecarVersion,
    operation,
    poolId,
    phase,
    method,
    ...progress,
    target,
    source: { inode, size, mtimeNs },
  };
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
