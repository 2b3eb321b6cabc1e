import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { formatBytes } from '@wcc/progress';
import type { Acceptance } from '../../operations/accept.ts';
import type { ImagesContext } from '../context.ts';
import { assertNameFree } from '../names.ts';
import { measureFreeSpace } from '../space/free-space.ts';

export interface PublishAcceptance extends Omit<Acceptance, 'names' | 'reservedBytes'> {
  pool: { id: string; path: string };
  targetName: string;
  needsBytes: number;
}

/**
 * Checks name and space and reserves them with the new operation, in one critical section per file system.
 *
 * @throws ApiError `exists`, `no_space`
 */
export async function acceptWithSpace(context: ImagesContext, wanted: PublishAcceptance): Promise<Snapshot> {
  const { pool, targetName, needsBytes } = wanted;
  const { fileSystemKey } = await measureFreeSpace(context, pool);
  return context.fileSystemMutex(fileSystemKey)(async () => {
    await assertNameFree(context.store, pool, targetName);
    const { freeBytes } = await measureFreeSpace(context, pool);
    if (needsBytes > freeBytes) throw noSpace(needsBytes, freeBytes);
    return context.operations.accept({ ...wanted, names: [targetName], reservedBytes: needsBytes });
  });
}

function noSpace(needsBytes: number, freeBytes: number): ApiError {
  const message = `Needs ${formatBytes(needsBytes)}, ${formatBytes(freeBytes)} free.`;
  return new ApiError('no_space', { message });
}
