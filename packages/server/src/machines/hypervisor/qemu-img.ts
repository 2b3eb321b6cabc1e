import { ApiError } from '@wcc/api';
import { packageOf } from '../../images/tools/find-tool.ts';
import { runTool } from '../../images/tools/run-tool.ts';
import type { ToolRun } from '../../images/tools/run-tool.ts';
import { HypervisorError } from './hypervisor-error.ts';

const timeoutMs = 60_000;

/**
 * Runs `qemu-img` with a list of arguments, never through a shell, and without the server's environment.
 * @throws HypervisorError `packages_missing`, `failed` with its output; the reason of `signal` when that aborts
 */
async function run(args: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  // This command reads no untrusted content, so it needs no limits.
  const tool = { tool: 'qemu-img', args, limits: null } as const;
  const { code, stderr } = await runTool(tool, { timeoutMs, signal }).catch(toMissingPackages);
  if (code !== 0) throw new HypervisorError('failed', { detail: `qemu-img: ${stderr.trim()}` });
}

function toMissingPackages(error: unknown): ToolRun {
  if (error instanceof ApiError && error.code === 'tool_missing')
    throw new HypervisorError('packages_missing', { packages: [packageOf['qemu-img']], cause: error });
  throw error;
}

/** An empty qcow2 image. */
export function createQcow2(path: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
  return run(['create', '-q', '-f', 'qcow2', '--', path, String(sizeBytes)], signal);
}

/** An empty qcow2 image over a base. The base's format is explicit: qemu-img must not guess it. */
export function createOverlay(
  path: string,
  { base, sizeBytes }: { base: { path: string; format: 'raw' | 'qcow2' }; sizeBytes: number },
  signal?: AbortSignal,
): Promise<void> {
  const backing = ['-b', base.path, '-F', base.format];
  return run(['create', '-q', '-f', 'qcow2', ...backing, '--', path, String(sizeBytes)], signal);
}

/** @throws HypervisorError `failed` with `--shrink` in its detail when the image is larger */
export function resizeQcow2(path: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
  return run(['resize', '-q', '-f', 'qcow2', '--', path, String(sizeBytes)], signal);
}
