import { randomBytes } from 'node:crypto';
import {
  abortSignal,
  atLeast,
  callback,
  flag,
  nested,
  oneOf,
  orNull,
  readOptions,
  textOrNull,
  throwWrong,
} from '../contract/read-options.ts';
import type { Reader, Readers } from '../contract/read-options.ts';
import { assertId, splitPath, toPathBytes } from '../storage/paths.ts';
import type { CopyRequest } from '../contract/messages.ts';
import type { CopyOptions, PathLike } from '../contract/types.ts';

const defaultCheckpointIntervalMs = 5000;
const defaultCheckpointBytes = 1024 ** 3;

/** 128 random bits, so that two copies into one directory never get the same id. */
export function randomId(): string {
  return randomBytes(16).toString('base64url');
}

/** The options of a copy that stay on the calling thread. */
interface CallerSettings {
  bytesPerSecond: number | null;
  signal: AbortSignal | undefined;
  onPhase: CopyOptions['onPhase'] | undefined;
  onProgress: CopyOptions['onProgress'] | undefined;
}

/** All options of a copy, checked, with every default set. */
export interface CopySettings extends CallerSettings {
  /** The options that the worker gets. */
  request: Omit<CopyRequest, 'kind' | 'memory' | 'source' | 'destination' | 'continues'>;
}

type ReadOptions = CallerSettings &
  Omit<CopySettings['request'], 'checkpointIntervalMs' | 'checkpointBytes'> & {
    checkpoint: { intervalMs: number; bytes: number };
  };

const idOrRandom: Reader<string> = (value, name) =>
  value === undefined ? randomId() : assertId(value, name);

/** A limit of 0 would make no progress without the state `paused`. */
const limit: Reader<number | null> = orNull(atLeast(1, 1));

const copyReaders: Readers<ReadOptions> = {
  id: idOrRandom,
  tag: textOrNull(),
  method: oneOf(['auto', 'clone', 'copy'], 'auto'),
  native: oneOf(['auto', 'off'], 'auto'),
  ifInUse: oneOf(['fail', 'warn'], 'warn'),
  resume: flag(true),
  overwrite: flag(false),
  verify: flag(false),
  durable: flag(true),
  preallocate: flag(false),
  detectZeros: flag(false),
  keepPartial: flag(false),
  keepSidecar: flag(false),
  minFreeBytes: atLeast(0, 0),
  bytesPerSecond: limit,
  checkpoint: nested({
    intervalMs: atLeast(0, defaultCheckpointIntervalMs),
    bytes: atLeast(1, defaultCheckpointBytes),
  }),
  signal: abortSignal(),
  onPhase: callback(),
  onProgress: callback(),
};

/** @throws CopyError `invalid_option` */
export function readCopyOptions(options: CopyOptions | undefined): CopySettings {
  const read = readOptions(options, copyReaders);
  const { bytesPerSecond, signal, onPhase, onProgress, checkpoint, ...rest } = read;
  return {
    bytesPerSecond,
    signal,
    onPhase,
    onProgress,
    request: { ...rest, checkpointIntervalMs: checkpoint.intervalMs, checkpointBytes: checkpoint.bytes },
  };
}

/** @throws CopyError `invalid_option` */
export function readLimit(bytesPerSecond: number | null): number | null {
  return limit(bytesPerSecond, 'bytesPerSecond');
}

/** Builds the worker's request. @throws CopyError `invalid_option` for anything but two paths */
export function createRequest(
  paths: { source: PathLike; destination: PathLike },
  { request }: CopySettings,
  memory: SharedArrayBuffer,
): CopyRequest {
  const source = toPathBytes(paths.source, 'source');
  const destination = toPathBytes(paths.destination, 'destination');
  if (splitPath(destination).name.length === 0)
    throwWrong('destination', 'the path of a file', destination.toString());
  return { kind: 'copy', memory, source, destination, continues: null, ...request };
}
