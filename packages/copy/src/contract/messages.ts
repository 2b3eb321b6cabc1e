import type { FileDigest } from './digest.ts';
import { CopyError } from './errors.ts';
import type { CopyErrorCode } from './errors.ts';
import type { FileFacts, InspectOptions } from './file-facts.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { CopyPhaseEvent, CopyResult } from './types.ts';

/** A copy as the worker gets it: absolute paths in bytes, every option decided. */
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
  /** Names the hidden file of the trial. */
  id: string;
  source: Uint8Array;
  directory: Uint8Array;
}

/** Gives a file that was received its final name. */
export interface PublishRequest {
  kind: 'publish';
  destination: Uint8Array;
  checkpoint: Checkpoint;
}

export interface DigestRequest {
  kind: 'digest';
  path: Uint8Array;
  /** See `digestSlot`. */
  memory: SharedArrayBuffer;
}

/** Does nothing: it only makes a worker ready. */
export interface WarmRequest {
  kind: 'warm';
}

export type WorkerRequest =
  CopyRequest | InspectRequest | CanCloneRequest | PublishRequest | DigestRequest | WarmRequest;

/** Warnings, as a copy's result has them. */
export interface PublishResult {
  warnings: string[];
}

/** What each kind of request is answered with. */
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

/** A CopyError between threads: structured clone keeps neither the class nor the fields of an error. */
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
