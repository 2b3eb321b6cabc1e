import { createOperationId } from '@wcc/progress';
import { removeRemains } from '@wcc/copy';
import { randomBytes } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../../files/sync-directory.ts';
import { partialPath } from '../../images/free-space.ts';
import { lookAt } from '../../images/scan/stat-entry.ts';
import type { Store } from '../../storage/store.ts';
import type { MachinesContext } from '../context.ts';
import { ignoreMissing } from '../../files/errors.ts';
import type { DiskTarget } from '../create/disk-files.ts';

/** Holds the name of a disk that is added to a machine: no operation, so that none of those is taken for it. */
const holderPrefix = 'added-disk-';

/** Before its file exists, the name is written down with the hidden name that it is made under: a crash leaves nothing unknown. */
export async function reserveDisk(
  store: Store,
  { poolId, directory, name }: { poolId: string; directory: string; name: string },
): Promise<DiskTarget> {
  const operationId = createOperationId(randomBytes);
  const held = { poolId, name, operationId: `${holderPrefix}${operationId}` };
  await store.write([{ query: store.db.insertInto('nameReservations').values(held) }]);
  return { operationId, poolId, directory };
}

/** When the disk is recorded only its name is free again; else its file goes too. May be done again. */
export async function releaseDisk(
  { store }: Pick<MachinesContext, 'store'>,
  { place, name }: { place: DiskTarget; name: string },
): Promise<void> {
  const { operationId, poolId, directory } = place;
  const image = await store.db
    .selectFrom('images')
    .select('id')
    .where('poolId', '=', poolId)
    .where('name', '=', name)
    .where('state', '!=', 'missing')
    .executeTakeFirst();
  const made = await lookAt(partialPath(directory, operationId), '');
  const path = join(directory, name);
  // Only what was made here: under its name may lie what somebody else put there.
  if (image === undefined && made !== null && made.inode === (await lookAt(path, name))?.inode)
    await unlink(path).catch(ignoreMissing);
  await removeRemains(directory, operationId);
  await syncDirectory(directory);
  const holder = `${holderPrefix}${operationId}`;
  const query = store.db.deleteFrom('nameReservations').where('operationId', '=', holder);
  await store.write([{ query }]);
}

/** After a crash, before anybody can add another one. */
export async function removeOrphanDisks(context: MachinesContext): Promise<void> {
  const { store, images, onError } = context;
  const held = await store.db
    .selectFrom('nameReservations')
    .selectAll()
    .where('operationId', 'like', `${holderPrefix}%`)
    .execute();
  for (const { poolId, name, operationId } of held) {
    const withdraw = async (): Promise<void> => {
      const { path: directory } = await images.pools.use(poolId);
      const place = { operationId: operationId.slice(holderPrefix.length), poolId, directory };
      await releaseDisk(context, { place, name });
    };
    await withdraw().catch((error: unknown) => onError(error, { stage: `disk ${name}: remains` }));
  }
}
