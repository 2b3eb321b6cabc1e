import { ApiError } from '@wcc/api';
import { publishReceived } from '@wcc/copy';
import type { ReceivedFile } from '@wcc/copy';
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { imageMode } from '../files/modes.ts';
import { partialPath } from '../images/free-space.ts';
import type { OperationView } from '../operations/action.ts';
import type { PhaseEvent, WorkResult } from '../operations/work.ts';
import { memoryOf } from './context.ts';
import type { UploadsContext } from './context.ts';
import type { UploadInput } from './input.ts';
import { inspectUpload } from './inspect.ts';

export interface FinishOptions {
  operation: OperationView;
  directory: string;
  onPhase: (event: PhaseEvent) => void;
}

const readBytes = 1024 ** 2;

/** From the last byte to the final name, in this order. Nothing is published that was not looked at. */
export async function finishUpload(
  context: UploadsContext,
  file: ReceivedFile,
  { operation, directory, onPhase, signal }: FinishOptions & { signal: AbortSignal },
): Promise<WorkResult> {
  const { id } = operation;
  const { poolId, targetName, sizeBytes, sha256, format } = operation.input as UploadInput;
  const memory = memoryOf(context, id);
  onPhase({ phase: 'flush', unit: null, total: null });
  await file.handle.chmod(imageMode);
  await context.syncGate(() => file.handle.sync());
  const { size } = await file.handle.stat();
  if (size !== sizeBytes)
    throw new ApiError('io_error', { message: `The file has ${size} bytes instead of ${sizeBytes}.` });
  if (sha256 !== null) await compareDigest(file.handle, { sha256, sizeBytes, known: memory.digest, signal });
  // Closed first: a look for programs that write to it must not find ourselves.
  await file.close();
  signal.throwIfAborted();
  onPhase({ phase: 'inspect', unit: null, total: null });
  const { maxVirtualSizeBytes } = context.images;
  const looking = { believed: format, maxVirtualSizeBytes, signal };
  memory.inspected = await inspectUpload(partialPath(directory, id), looking);
  signal.throwIfAborted();
  onPhase({ phase: 'publish', unit: null, total: null });
  // A thread each: fifty uploads that end together must not start fifty threads.
  const what = { directory, id, poolId, targetName, sizeBytes };
  const { warnings } = await context.syncGate(() => publishReceived(what));
  const bytes = { virtual: sizeBytes, data: sizeBytes, skipped: 0, shared: 0, written: sizeBytes };
  return { bytes, method: null, warnings: [...memory.warnings, ...warnings], phases: [] };
}

interface Comparison {
  sha256: string;
  sizeBytes: number;
  known: { hash: Hash; atBytes: number } | null;
  signal: AbortSignal;
}

async function compareDigest(
  handle: FileHandle,
  { sha256, sizeBytes, known, signal }: Comparison,
): Promise<void> {
  const hash = known?.atBytes === sizeBytes ? known.hash.copy() : await readDigest(handle, sizeBytes, signal);
  if (hash.digest('hex') !== sha256) throw new ApiError('digest_mismatch');
}

/** After a restart the hash of the first part is gone with the process: the file is read. */
async function readDigest(handle: FileHandle, sizeBytes: number, signal: AbortSignal): Promise<Hash> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(readBytes);
  for (let at = 0; at < sizeBytes;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, readBytes, at);
    if (bytesRead === 0) throw new ApiError('io_error', { message: 'The file ends before its length.' });
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash;
}
