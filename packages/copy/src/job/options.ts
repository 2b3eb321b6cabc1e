import { randomBytes } from 'node:crypto';
import { CopyError } from '../contract/errors.ts';
import { assertId, splitPath, toPathBytes } from '../storage/paths.ts';
import type { CopyRequest } from '../contract/messages.ts';
import type { CopyOptions, PathLike } from '../contract/types.ts';

const defaultCheckpointIntervalMs = 5000;
const defaultCheckpointBytes = 1024 ** 3;

/** 128 random bits, so that two copies into one directory never get the same id. */
export function randomId(): string {
  return randomBytes(16).toString('base64url');
}

/** Builds the worker's request with every default set. @throws CopyError `invalid_option` */
export function createRequest(
  paths: { source: PathLike; destination: PathLike; id: string },
  options: CopyOptions,
  memory: SharedArrayBuffer,
): CopyRequest {
  const destination = toPathBytes(paths.destination);
  if (splitPath(destination).name.length === 0) throwInvalid('the destination has no file name');
  return {
    kind: 'copy',
    memory,
    id: assertId(paths.id),
    poolId: options.poolId ?? null,
    source: toPathBytes(paths.source),
    destination,
    method: oneOf('method', options.method ?? 'auto', ['auto', 'clone', 'copy']),
    kernelCalls: oneOf('kernelCalls', options.kernelCalls ?? 'auto', ['auto', 'off']),
    resume: options.resume ?? true,
    overwrite: options.overwrite ?? false,
    verify: options.verify ?? false,
    durable: options.durable ?? true,
    preallocate: options.preallocate ?? false,
    detectZeros: options.detectZeros ?? false,
    refuseWriters: options.refuseWriters ?? false,
    keepOnFailure: options.keepOnFailure ?? false,
    keepSidecar: options.keepSidecar ?? false,
    checkpointIntervalMs: assertAtLeast(
      'checkpoint.intervalMs',
      options.checkpoint?.intervalMs ?? defaultCheckpointIntervalMs,
      0,
    ),
    checkpointBytes: assertAtLeast(
      'checkpoint.bytes',
      options.checkpoint?.bytes ?? defaultCheckpointBytes,
      1,
    ),
    freeSpaceFloorBytes: assertAtLeast('freeSpaceFloorBytes', options.freeSpaceFloorBytes ?? 0, 0),
  };
}

/** Rejects a limit of 0, because such a copy would make no progress without the state `paused`. */
export function assertLimit(bytesPerSecond: number | null): number | null {
  return bytesPerSecond === null ? null : assertAtLeast('bytesPerSecond', bytesPerSecond, 1);
}

function oneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) throwInvalid(`${name} must be one of ${allowed.join(', ')}`);
  return value;
}

/** @throws CopyError `invalid_option` */
export function assertAtLeast(name: string, value: number, least: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < least) {
    throwInvalid(`${name} must be a number of at least ${least}`);
  }
  return value;
}

function throwInvalid(detail: string): never {
  throw new CopyError('invalid_option', { detail });
}
