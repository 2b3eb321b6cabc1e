import { truncate, stat } from 'node:fs/promises';
import { HypervisorError } from './hypervisor-error.ts';
import type { DiskSpec } from './machine-spec.ts';
import { findTool, packageOf } from '../../images/tools/find-tool.ts';
import { runTool } from '../../images/tools/run-tool.ts';

/** qcow2 counts in sectors, and so do guests. */
const sectorBytes = 512;

/** @throws HypervisorError `invalid_spec` */
export function assertDiskSize(sizeBytes: number): void {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes % sectorBytes !== 0)
    throw new HypervisorError('invalid_spec', { detail: 'sizeBytes' });
}

/** Makes the file of a disk that nobody uses larger. @throws HypervisorError `invalid_spec` when it would become smaller, `failed` */
export async function growFile({ path, format }: DiskSpec, sizeBytes: number): Promise<void> {
  if (format === 'raw') return growRaw(path, sizeBytes);
  if (findTool('qemu-img') === null)
    throw new HypervisorError('packages_missing', { packages: [packageOf['qemu-img']] });
  // Without --shrink it refuses to make it smaller.
  const args = ['resize', '-f', format, '--', path, String(sizeBytes)];
  const { code, stderr } = await runTool({ tool: 'qemu-img', args, limits: null }).catch((cause: unknown) => {
    throw new HypervisorError('failed', { detail: String(cause), cause });
  });
  if (code === 0) return;
  const isSmaller = stderr.includes('--shrink');
  throw new HypervisorError(isSmaller ? 'invalid_spec' : 'failed', {
    detail: isSmaller ? 'sizeBytes' : stderr,
  });
}

async function growRaw(path: string, sizeBytes: number): Promise<void> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new HypervisorError('failed', { detail: 'the disk is not there', cause });
  });
  if (sizeBytes < facts.size) throw new HypervisorError('invalid_spec', { detail: 'sizeBytes' });
  await truncate(path, sizeBytes).catch((cause: unknown) => {
    throw new HypervisorError('failed', { detail: String(cause), cause });
  });
}
