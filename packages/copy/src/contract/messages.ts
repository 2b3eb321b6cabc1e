import type { FileDigest } from './digest.ts';
import { CopyError } from './errors.ts';
import type { CopyErrorCode } from './errors.ts';
import type { FileFacts, InspectOptions } from './file-facts.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { CopyPhaseEvent, CopyResult } from './types.ts';

/** A copy as the worker receives it: absolute paths in bytes, every option set. */
export interface CopyRequest {
  kind: 'copy';
  memory: SharedArrayBuffer;
  id: string;
  poolId: string | null;
  source: Uint8Array;
  destination: Uint8Array;
  method: 'auto' | 'clone' | 'copy';
  resume: boolean;
  overwrite: boolean;
  verify: boolean;
  durable: boolean;
  preallocate: boolean;
  detectZeros: boolean;
  refuseWriters: boolean;
  checkpointIntervalMs: number;
  checkpointBytes: number;
  freeSpaceFloorBytes: number;
  keepOnFailure: boolean;
  keepSidecar: boolean;
  kernelCalls: 'auto' | 'off';
}

export interface InspectRequest {
  kind: 'inspect';
  path: Uint8Array;
  options: InspectOptions;
}

export interface CanCloneRequest {
  kind: 'canClone';
  /** Names the hidden file that the trial creates. */
  id: string;
  source: Uint8Array;
  directory: Uint8Array;
}

/** Publishes a received file under its final name. */
export interface PublishRequest {
  kind: 'publish';
  destination: Uint8Array;
  checkpoint: Checkpoint;
}

export interface DigestRequest {
  kind: 'digest';
  path: Uint8Array;
  /** `digestSlot` names its cells. */
  memory: SharedArrayBuffer;
}

/** Does no work. It starts a worker and loads the modules it needs. */
export interface WarmRequest {
  kind: 'warm';
}

export type WorkerRequest =
  CopyRequest | InspectRequest | CanCloneRequest | PublishRequest | DigestRequest | WarmRequest;

/** The same warnings as in a copy's result. */
export interface PublishResult {
  warnings: string[];
}

/** The result of each kind of request. */
export interface WorkerResults {
  copy: CopyResult;
  inspect: FileFacts;
  canClone: boolean;
  publish: PublishResult;
  digest: FileDigest;
  warm: boolean;
}

export type WorkerMessage =
  | { kind: 'phase'; event: CopyPhaseEvent }
  | { kind: 'result'; result: WorkerResults[keyof WorkerResults] }
  | { kind: 'error'; error: WireError };

/** A CopyError as plain data for another thread: structured clone drops the class and fields of an error. */
export interface WireError {
  code: CopyErrorCode;
  path: string | null;
  offset: number | null;
  detail: string | null;
  resumable: boolean;
  cause: {
    name: string;
    message: string;
    stack: string | undefined;
    fields: Record<string, string | number>;
  } | null;
}

export function packError(error: CopyError): WireError {
  const { code, path, offset, detail, resumable, cause } = error;
  return { code, path, offset, detail, resumable, cause: cause instanceof Error ? packCause(cause) : null };
}

function packCause(cause: Error): WireError['cause'] {
  const fields: Record<string, string | number> = {};
  for (const [key, value] of Object.entries(cause)) {
    if (typeof value === 'string' || typeof value === 'number') fields[key] = value;
  }
  return { name: cause.name, message: cause.message, stack: cause.stack, fields };
}

export function unpackError({ code, path, offset, detail, resumable, cause }: WireError): CopyError {
  return new CopyError(code, {
    path,
    offset,
    resumable,
    ...(detail === null ? {} : { detail }),
    ...(cause === null ? {} : { cause: unpackCause(cause) }),
  });
}

function unpackCause({ name, message, stack, fields }: NonNullable<WireError['cause']>): Error {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return Object.assign(cause, { name }, fields);
}
