import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
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
 * @throws HypervisorError `invalid_spec` for a smaller size, `packages_missing`, `failed`; ApiError for a header that wcc
 * does not accept
 */
export async function growFile({ path, format, backing }: DiskSpec, sizeBytes: number): Promise<void> {
  if (format === 'raw') return growRaw(path, sizeBytes);
  const baseName = backing[0] === undefined ? undefined : basename(backing[0].path);
  await resizeQcow2(path, sizeBytes, { baseName }).catch((error: unknown) => {
    // qemu-img refuses to shrink an image, and names the option that would allow it.
    const isSmaller = error instanceof HypervisorError && error.detail?.includes('--shrink') === true;
    if (!isSmaller) throw error;
    throw new HypervisorError('invalid_spec', { detail: 'sizeBytes', cause: error });
  });
}

async function growRaw(path: string, sizeBytes: number): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((cause: unknown) => {
    throw new HypervisorError('failed', { detail: 'the file of the disk is missing', cause });
  });
  try {
    const { size } = await file.stat();
    if (sizeBytes < size) throw new HypervisorError('invalid_spec', { detail: 'sizeBytes' });
    await file.truncate(sizeBytes).catch((cause: unknown) => {
      throw new HypervisorError('failed', { detail: String(cause), cause });
    });
  } finally {
    await file.close();
  }
}
