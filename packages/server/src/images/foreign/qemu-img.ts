import { ApiError } from '@wcc/api';
import type { FileHandle } from 'node:fs/promises';
import type { ToolLimits } from '../tools/spawn-tool.ts';
import { nameQcow2 } from './name-qcow2.ts';
import { runTool } from '../tools/run-tool.ts';
import { storageFailureOf } from '../tools/storage-failure.ts';
import type { ToolRun } from '../tools/run-tool.ts';

/** Limits for inspections of untrusted files, which write nothing. */
const limits: ToolLimits = { cpuSeconds: 30, addressSpaceBytes: 1024 ** 3, fileBytes: 0 };
const timeoutMs = 300_000;

export interface ToolOptions {
  signal?: AbortSignal | undefined;
  /** @default the directories of distributions */
  toolDirectories?: readonly string[] | undefined;
}

/** Result of `qemu-img check` for a complete qcow2 image. */
export interface Qcow2Check {
  /** Bytes of guest data, without holes: the size of a raw copy. */
  allocatedBytes: number;
  /** End of the last cluster. */
  endBytes: number;
}

const damaged = (message: string, cause?: unknown): ApiError =>
  new ApiError(
    'damaged_image',
    cause === undefined ? { message, hint: repair } : { message, hint: repair, cause },
  );
const repair = 'Fetch the file again, or repair a copy of it: qemu-img check -r all FILE';

/**
 * Runs `qemu-img info` on an open qcow2 file.
 * @returns its virtual size
 * @throws ApiError `damaged_image`, `hostile_image`, `tool_missing`; the failure of the storage, e.g. `io_error`
 */
export async function infoQcow2(file: FileHandle, options: ToolOptions): Promise<number> {
  const run = await runQemuImg(['info'], file, options);
  if (run.code !== 0) throw unreadable('qemu-img cannot read the image.', run);
  const info = parse(run);
  const specific = (info['format-specific'] as { data?: Record<string, unknown> } | undefined)?.data;
  const names = [info['backing-filename'], info['full-backing-filename'], specific?.['data-file']];
  if (info['format'] !== 'qcow2' || names.some((name) => name !== undefined))
    throw new ApiError('hostile_image', { message: 'The qcow2 image refers to other files.' });
  return numberOf(info['virtual-size']);
}

/**
 * Runs `qemu-img check`. Leaked clusters are harmless and allowed. Damage is refused, and so is a file that ends
 * before its last cluster, which `info` does not report.
 *
 * @throws ApiError `damaged_image`, `hostile_image`, `tool_missing`; the failure of the storage, e.g. `io_error`
 */
export async function assertSoundQcow2(
  file: FileHandle,
  { fileBytes, clusterBytes }: { fileBytes: number; clusterBytes: number },
  options: ToolOptions,
): Promise<Qcow2Check> {
  const run = await runQemuImg(['check'], file, options);
  const [onlyLeaks, isDamaged] = [3, 2];
  if (run.code === isDamaged) throw damaged('The image is damaged (qemu-img check).', reason(run));
  if (run.code !== 0 && run.code !== onlyLeaks)
    throw unreadable('The image is damaged (qemu-img check).', run);
  const found = parse(run);
  const endBytes = numberOf(found['image-end-offset']);
  // The last cluster may be shorter in the file.
  if (endBytes >= fileBytes + clusterBytes)
    throw damaged('The file is truncated: its last clusters are missing.');
  const allocated = found['allocated-clusters'];
  return { endBytes, allocatedBytes: allocated === undefined ? 0 : numberOf(allocated) * clusterBytes };
}

/** The format is always given: a guest could write the header of another format into its disk. */
async function runQemuImg(
  command: readonly string[],
  file: FileHandle,
  { signal, toolDirectories }: ToolOptions,
): Promise<ToolRun> {
  const args = [...command, '--output=json', '-f', 'qcow2', await nameQcow2(file)];
  const directories = toolDirectories === undefined ? {} : { directories: toolDirectories };
  return runTool({ tool: 'qemu-img', args, limits, files: [file.fd], ...directories }, { timeoutMs, signal });
}

function parse({ stdout }: ToolRun): Record<string, unknown> {
  try {
    return JSON.parse(stdout) as Record<string, unknown>;
  } catch (cause) {
    throw damaged('The output of qemu-img is invalid.', cause);
  }
}

function numberOf(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw damaged('qemu-img reports an invalid size.');
}

/** qemu-img did not come to its end. A disk that cannot be read says nothing about the image. */
function unreadable(message: string, run: ToolRun): ApiError {
  const code = storageFailureOf(run.stderr);
  return code === null ? damaged(message, reason(run)) : new ApiError(code, { cause: reason(run) });
}

/** For the log of the server: the output quotes the file, so callers do not get it. */
function reason({ code, signal, isTimedOut, stderr }: ToolRun): Error {
  const end = isTimedOut ? 'it took too long' : (signal ?? `it ended with ${code}`);
  return new Error(`qemu-img: ${end}: ${stderr.slice(0, 500)}`);
}
