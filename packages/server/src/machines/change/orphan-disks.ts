import { createOperationId } from '@wcc/progress';
import { partialPath, syncDirectory } from '@wcc/copy/receive';
import * as recovery from '@wcc/copy/recovery';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { statEntry } from '../../images/scan/stat-entry.ts';
import type { Store } from '../../storage/store.ts';
import type { MachinesContext } from '../context.ts';
import { ignoreMissing } from '../../files/errors.ts';
import type { DiskTarget } from '../create/disk-files.ts';

/** Marks the reservation of a disk that is being added to a machine. No operation has an id with this prefix. */
const holderPrefix = 'added-disk-';

/** Records the name and the hidden name of a disk before its file exists, so that a crash leaves no unknown file. */
export async function reserveDisk(
  store: Store,
  { poolId, directory, name }: { poolId: string; directory: string; name: string },
): Promise<DiskTarget> {
  const operationId = createOperationId();
  const reservation = { poolId, name, operationId: `${holderPrefix}${operationId}` };
  await store.write([{ query: store.db.insertInto('nameReservations').values(reservation) }]);
  return { operationId, poolId, directory };
}

/** Releases the name of a disk. Removes its file too, unless the disk is recorded. Idempotent. */
export async function releaseDisk(
  { store }: Pick<MachinesContext, 'store'>,
  { target, name }: { target: DiskTarget; name: string },
): Promise<void> {
  const { operationId, poolId, directory } = target;
  const image = await store.db
    .selectFrom('images')
    .select('id')
    .where('poolId', '=', poolId)
    .where('name', '=', name)
    .where('state', '!=', 'missing')
    .executeTakeFirst();
  const partial = await statEntry(partialPath(directory, operationId), '');
  const path = join(directory, name);
  // Removes wcc's own file only: another program may have put a file under this name.
  if (image === undefined && partial !== null && partial.inode === (await statEntry(path, name))?.inode)
    await unlink(path).catch(ignoreMissing);
  await recovery.remove(directory, operationId);
  await syncDirectory(directory);
  const holder = `${holderPrefix}${operationId}`;
  const query = store.db.deleteFrom('nameReservations').where('operationId', '=', holder);
  await store.write([{ query }]);
}

/** Removes disks that a crash left while they were added. Call it before disks can be added. */
export async function removeOrphanDisks(context: MachinesContext): Promise<void> {
  const { store, images, onError } = context;
  const reservations = await store.db
    .selectFrom('nameReservations')
    .selectAll()
    .where('operationId', 'like', `${holderPrefix}%`)
    .execute();
  for (const { poolId, name, operationId } of reservations) {
    const release = async (): Promise<void> => {
      const { path: directory } = await images.pools.use(poolId);
      const target = { operationId: operationId.slice(holderPrefix.length), poolId, directory };
      await releaseDisk(context, { target, name });
    };
    await release().catch((error: unknown) => onError(error, { stage: `disk ${name}: orphan` }));
  }
}
