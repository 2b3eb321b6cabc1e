import type { ImageId } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { Acceptance } from '../../operations/accept.ts';
import type { ImagesContext } from '../context.ts';
import { assertNameFree } from '../names.ts';
import { whileUsable } from '../use.ts';
import { measureFreeSpace } from '../space/free-space.ts';
import { noSpace } from '../space/no-space.ts';

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
    const { sourceId } = wanted.input;
    return whileUsable(context, typeof sourceId === 'number' ? [sourceId as ImageId] : [], () =>
      context.operations.accept({ ...wanted, names: [targetName], reservedBytes: needsBytes }),
    );
  });
}
