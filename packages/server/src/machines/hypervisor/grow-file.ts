import { stat, truncate } from 'node:fs/promises';
import { HypervisorError } from './hypervisor-error.ts';
import type { DiskSpec } from './machine-spec.ts';
import { resizeQcow2 } from './qemu-img.ts';

/** qcow2 counts in sectors, and so do guests. */
const sectorBytes = 512;

/** @throws HypervisorError `invalid_spec` */
export function assertDiskSize(sizeBytes: number): void {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes % sectorBytes !== 0)
    throw new HypervisorError('invalid_spec', { detail: 'sizeBytes' });
}

/**
 * Grows the file of a disk that no machine has open.
 * @throws HypervisorError `invalid_spec` for a smaller size, `packages_missing`, `failed`
 */
export async function growFile({ path, format }: DiskSpec, sizeBytes: number): Promise<void> {
  if (format === 'raw') return growRaw(path, sizeBytes);
  await resizeQcow2(path, sizeBytes).catch((error: unknown) => {
    // qemu-img refuses to shrink an image, and names the option that would allow it.
    const isSmaller = error instanceof HypervisorError && error.detail?.includes('--shrink') === true;
    if (!isSmaller) throw error;
    throw new HypervisorError('invalid_spec', { detail: 'sizeBytes', cause: error });
  });
}

async function growRaw(path: string, sizeBytes: number): Promise<void> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new HypervisorError('failed', { detail: 'the file of the disk is missing', cause });
  });
  if (sizeBytes < facts.size) throw new HypervisorError('invalid_spec', { detail: 'sizeBytes' });
  await truncate(path, sizeBytes).catch((cause: unknown) => {
    throw new HypervisorError('failed', { detail: String(cause), cause });
  });
}
