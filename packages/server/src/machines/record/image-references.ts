import type { ImageId, VmId } from '@wcc/api';
import { readUnfinishedInputs } from '../../operations/rows.ts';
import type { ImageReference, ReferencesByImage } from '../../images/references.ts';
import type { Store } from '../../storage/store.ts';

/** The disks of machines whose deletion was accepted with their disks and has not ended. */
export async function disksBeingDeleted(store: Store): Promise<ImageId[]> {
  const deletions = await readUnfinishedInputs(store, 'delete_vm');
  const vmIds = deletions.filter((input) => input['disks'] === true).map((input) => input['vmId'] as VmId);
  if (vmIds.length === 0) return [];
  const disks = await store.db.selectFrom('vmDisks').select('imageId').where('vmId', 'in', vmIds).execute();
  return disks.map(({ imageId }) => imageId);
}

/**
 * The images that machines use: disks, sources and bases of disks, and ISOs in drives. An overlay needs its base
 * even when no machine uses the overlay.
 */
export async function imagesOfMachines({ db }: Store): Promise<ReferencesByImage> {
  const [machines, disks, overlays] = await Promise.all([
    db.selectFrom('vms').select(['id', 'name', 'state', 'cdromImageId', 'ownerId']).execute(),
    db.selectFrom('vmDisks').select(['vmId', 'imageId', 'sourceId', 'baseId']).execute(),
    db
      .selectFrom('images')
      .select(['id', 'name', 'baseId', 'owner'])
      .where('baseId', 'is not', null)
      .execute(),
  ]);
  const users = new Map<ImageId, ImageReference[]>();
  const note = (image: number | null, user: ImageReference): void => {
    if (image === null) return;
    const known = users.get(image) ?? [];
    if (!known.some(({ kind, id }) => kind === user.kind && id === user.id))
      users.set(image, [...known, user]);
  };
  const byId = new Map(machines.map((machine) => [machine.id, machine]));
  for (const { id, name, cdromImageId, ownerId: owner } of machines)
    note(cdromImageId, { kind: 'vm', id, name, owner });
  for (const { vmId, imageId, sourceId, baseId } of disks) {
    const machine = byId.get(vmId);
    if (machine === undefined) continue;
    const user: ImageReference = { kind: 'vm', id: vmId, name: machine.name, owner: machine.ownerId };
    note(imageId, { ...user, isDisk: true });
    note(baseId, user);
    // Only an unfinished copy needs its source.
    if (machine.state === 'making') note(sourceId, user);
  }
  const attached = new Set(disks.map(({ imageId }) => imageId));
  for (const { id, name, baseId, owner } of overlays) {
    if (!attached.has(id)) note(baseId, { kind: 'image', id, name, owner });
  }
  return users;
}
