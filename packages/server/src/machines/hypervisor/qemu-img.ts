import { ApiError } from '@wcc/api';
import { packageOf } from '../../images/tools/find-tool.ts';
import { runTool } from '../../images/tools/run-tool.ts';
import type { ToolRun } from '../../images/tools/run-tool.ts';
import { HypervisorError } from './hypervisor-error.ts';

const longestMs = 60_000;

/**
 * Runs `qemu-img` with a list of arguments, never through a shell, in an environment of its own.
 * @throws HypervisorError `packages_missing`, `failed` with what it said; the reason of `signal` when that aborts it
 */
async function run(args: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  // What it is told is wcc's own, so it is held to no limits.
  const order = { tool: 'qemu-img', args, limits: null } as const;
  const { code, stderr } = await runTool(order, { timeoutMs: longestMs, signal }).catch(explain);
  if (code !== 0) throw new HypervisorError('failed', { detail: `qemu-img: ${stderr.trim()}` });
}

function explain(error: unknown): ToolRun {
  if (error instanceof ApiError && error.code === 'tool_missing')
    throw new HypervisorError('packages_missing', { packages: [packageOf['qemu-img']], cause: error });
  throw error;
}

/** An empty qcow2 image. */
export function createQcow2(path: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
  return run(['create', '-q', '-f', 'qcow2', '--', path, String(sizeBytes)], signal);
}

/** An empty qcow2 image over a base, whose format is named: it is never guessed. */
export function createOverlay(
  path: string,
  { base, sizeBytes }: { base: { path: string; format: 'raw' | 'qcow2' }; sizeBytes: number },
  signal?: AbortSignal,
): Promise<void> {
  const below = ['-b', base.path, '-F', base.format];
  return run(['create', '-q', '-f', 'qcow2', ...below, '--', path, String(sizeBytes)], signal);
}

/** Only ever larger: whoever calls has compared the sizes. */
export function resizeQcow2(path: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
  return run(['resize', '-q', '-f', 'qcow2', '--', path, String(sizeBytes)], signal);
}
