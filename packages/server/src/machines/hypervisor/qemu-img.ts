import { ApiError } from '@wcc/api';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { nameQcow2 } from '../../images/foreign/name-qcow2.ts';
import type { NameOptions } from '../../images/foreign/name-qcow2.ts';
import { packageOf } from '../../images/tools/find-tool.ts';
import { runTool } from '../../images/tools/run-tool.ts';
import type { ToolRun } from '../../images/tools/run-tool.ts';
import { hasWritten } from '../../images/tools/storage-failure.ts';
import type { ToolCommand } from '../../images/tools/spawn-tool.ts';
import { HypervisorError } from './hypervisor-error.ts';

const timeoutMs = 60_000;

/**
 * Runs `qemu-img` with a list of arguments, never through a shell, and without the server's environment.
 * @throws HypervisorError `packages_missing`, `failed` with its output; the reason of `signal` when that aborts
 */
async function run(command: Omit<ToolCommand, 'tool'>, signal: AbortSignal | undefined): Promise<void> {
  const tool = { tool: 'qemu-img', ...command } as const;
  const { code, stderr } = await runTool(tool, { timeoutMs, signal }).catch(toMissingPackages);
  if (!hasWritten({ code, stderr }))
    throw new HypervisorError('failed', { detail: `qemu-img: ${stderr.trim()}` });
}

function toMissingPackages(error: unknown): ToolRun {
  if (error instanceof ApiError && error.code === 'tool_missing')
    throw new HypervisorError('packages_missing', { packages: [packageOf['qemu-img']], cause: error });
  throw error;
}

/** An empty qcow2 image. */
export function createQcow2(path: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
  const args = ['create', '-q', '-f', 'qcow2', '--', path, String(sizeBytes)];
  // It reads no file, so it needs no limits.
  return run({ args, limits: null }, signal);
}

/**
 * An empty qcow2 image over a base. The base's format is explicit: no program must guess it. With `-u` and a size, qemu-img
 * only writes the name of the base, and does not open it.
 */
export function createOverlay(
  path: string,
  { base, sizeBytes }: { base: { path: string; format: 'raw' | 'qcow2' }; sizeBytes: number },
  signal?: AbortSignal,
): Promise<void> {
  const backing = ['-u', '-b', base.path, '-F', base.format];
  const args = ['create', '-q', '-f', 'qcow2', ...backing, '--', path, String(sizeBytes)];
  return run({ args, limits: null }, signal);
}

/**
 * Grows a qcow2 image. Its base is not needed: no overlay of wcc is smaller than its base.
 * @throws HypervisorError `failed` with `--shrink` in its detail when the image is larger; ApiError with a code of
 * `@wcc/api/content` for a header that wcc does not accept
 */
export async function resizeQcow2(
  path: string,
  sizeBytes: number,
  { baseName, signal }: Pick<NameOptions, 'baseName'> & { signal?: AbortSignal | undefined },
): Promise<void> {
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const name = await nameQcow2(file, { baseName });
    const { size } = await file.stat();
    const limits = { cpuSeconds: 30, addressSpaceBytes: 1024 ** 3, fileBytes: size + tableBytes(sizeBytes) };
    const args = ['resize', '-q', '-f', 'qcow2', '--', name, String(sizeBytes)];
    await run({ args, limits, files: [file.fd] }, signal);
  } finally {
    await file.close();
  }
}

/** More than the tables of a disk of this size take. */
function tableBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 1024) + 64 * 1024 ** 2;
}
