import { ApiError, maxDisks } from '@wcc/api';
import type { AddDiskInput, VmId } from '@wcc/api';
import { audit } from '../../access/audit.ts';
import { registerImage } from '../../images/publish/register-image.ts';
import { assertNameFree } from '../../images/names.ts';
import { measureFreeSpace } from '../../images/space/free-space.ts';
import type { VmChange } from './settings.ts';
import type { MachinesContext } from '../context.ts';
import { finishDisk, publishDisk } from '../create/disk-files.ts';
import { reserveDisk, releaseDisk } from './orphan-disks.ts';
import type { DiskPlan } from '../record/plan.ts';
import { draftDisk, freeDiskName } from '../create/plan-disks.ts';
import { assertNoLayers } from '../host/disk-layers.ts';
import { assertHypervisor } from '../host/host.ts';
import { mapHypervisorErrors } from '../host/hypervisor-errors.ts';
import { assertOff, assertUnchanged, isOff } from '../host/power-state.ts';
import { assertIdle } from '../record/rights.ts';
import { isDiskThere, readDiskFiles } from '../record/disk-file.ts';
import { diskSpecOf, readDisks, specOf } from '../record/machine-rows.ts';
import type { VmDiskRow } from '../record/machine-rows.ts';

/** Adds a blank disk to a machine that is off. */
export async function addDisk(context: MachinesContext, change: VmChange<AddDiskInput>): Promise<void> {
  const { row } = change;
  assertIdle(row);
  await mapHypervisorErrors(context, async () => {
    await assertHypervisor(context.hypervisor);
    await assertOff(context, row);
    await assertUnchanged(context, row);
  });
  const disks = await readDisks(context.store, row.id);
  if (disks.length >= maxDisks) {
    throw new ApiError('invalid_input', { message: `A machine has at most ${maxDisks} disks.` });
  }
  const pool = await context.images.pools.use(row.poolId);
  const { fileSystemKey } = await measureFreeSpace(context.images, pool);
  // Keeps the name free until the disk is recorded.
  await context.images.fileSystemMutex(fileSystemKey)(() => createAndAttach(context, change, disks));
}

async function createAndAttach(
  context: MachinesContext,
  { row, principal, body }: VmChange<AddDiskInput>,
  disks: readonly VmDiskRow[],
): Promise<void> {
  const { store } = context;
  const pool = await context.images.pools.use(row.poolId);
  const draft = await draftDisk(context, body, { principal, pool, field: 'sizeBytes' });
  const position = Math.max(-1, ...disks.map((disk) => disk.position)) + 1;
  const name = await freeDiskName(context, { vm: row, pool, position, format: draft.format });
  await assertNameFree(store, pool, name);
  const number = context.images.numbers.take();
  const disk: DiskPlan = { ...draft, position, imageId: number.id, name };
  const target = await reserveDisk(store, { poolId: pool.id, directory: pool.path, name });
  try {
    const hooks = { onJob: () => {}, onCopyPhase: () => {} };
    const inode = await publishDisk(context, { target, disk, hooks });
    const diskRow: VmDiskRow = { ...toRow(disk, row.id), inode };
    const image = await registerImage(store, {
      id: disk.imageId,
      poolId: pool.id,
      directory: pool.path,
      name,
      format: disk.format,
      virtualSizeBytes: disk.sizeBytes,
      ownerId: row.ownerId,
      copiedFrom: null,
      dataBytes: null,
      isDisk: true,
    });
    await mapHypervisorErrors(context, async () =>
      context.hypervisor.define(await specOf(context, row, [...disks, diskRow])),
    );
    const query = store.db.insertInto('vmDisks').values(diskRow);
    await store.write([
      number.statement,
      ...image.statements,
      { query },
      audit(principal, 'vm.disk.add', `vm:${row.id}`),
    ]);
    // Removes the hidden name last, because it identifies the file as wcc's own until the disk is recorded.
    await finishDisk(context, { target, disk });
  } finally {
    await releaseDisk(context, { target, name });
  }
}

function toRow(disk: DiskPlan, vmId: VmId): Omit<VmDiskRow, 'inode'> {
  const { position, imageId, name, format, sizeBytes, baseId } = disk;
  return { vmId, position, imageId, name, format, sizeBytes, baseId, sourceId: null };
}

/** Grows a disk, also of a running machine. @throws ApiError `not_found`, `invalid_input` */
export async function growDisk(
  context: MachinesContext,
  { row, principal, body, index }: VmChange<{ sizeBytes: number }> & { index: number },
): Promise<void> {
  const { store, hypervisor, images } = context;
  const { sizeBytes } = body;
  assertIdle(row);
  const disk = (await readDisks(store, row.id)).find(({ position }) => position === index);
  if (disk === undefined) throw new ApiError('not_found');
  if (sizeBytes < disk.sizeBytes) {
    const message = `A disk cannot shrink; it has ${disk.sizeBytes} bytes.`;
    throw new ApiError('invalid_input', { field: 'sizeBytes', message });
  }
  await assertNoOverlay(context, disk);
  const { path } = await images.pools.use(row.poolId);
  const file = (await readDiskFiles(store, row.id)).find(({ position }) => position === index);
  if (file === undefined || !(await isDiskThere(path, file)))
    throw new ApiError('image_unavailable', {
      message: `The file of the disk "${disk.name}" is missing, or was replaced by another one.`,
      hint: 'Put the file back, then rescan the pool.',
    });
  await mapHypervisorErrors(context, async () => {
    await assertHypervisor(hypervisor);
    // A definition may have paths from before a restore.
    const status = await hypervisor.status(row.uuid);
    if (status === null) await assertNoLayers(context, row);
    if (isOff(status)) await hypervisor.define(await specOf(context, row, await readDisks(store, row.id)));
    await hypervisor.growDisk(row.uuid, { disk: await diskSpecOf(context, path, disk), sizeBytes });
  });
  const { db } = store;
  const grown = db
    .updateTable('vmDisks')
    .set({ sizeBytes })
    .where('vmId', '=', row.id)
    .where('position', '=', index);
  const image = db.updateTable('images').set({ virtualSizeBytes: sizeBytes }).where('id', '=', disk.imageId);
  await store.write([
    { query: grown, expectRows: 1 },
    { query: image },
    audit(principal, 'vm.disk.grow', `vm:${row.id}`),
  ]);
}

/** The base of an overlay must not change. */
async function assertNoOverlay({ store }: MachinesContext, { imageId }: VmDiskRow): Promise<void> {
  const overlay = await store.db
    .selectFrom('images')
    .select('name')
    .where('baseId', '=', imageId)
    .executeTakeFirst();
  if (overlay === undefined) return;
  throw new ApiError('image_in_use', {
    message: `The disk is the base of the image "${overlay.name}".`,
    hint: 'Delete that image first.',
  });
}
