import { ApiError } from '@wcc/api';
import type { DeleteVmRequest, ImageId, VmId } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import type { Principal } from '../../access/principal.ts';
import type { Action } from '../../operations/action.ts';
import type { Acceptance } from '../../operations/accept.ts';
import type { ImageReference } from '../../images/references.ts';
import { exclusively } from '../../images/use.ts';
import type { MachinesContext } from '../context.ts';
import { assertDisksCurrent } from '../host/disk-layers.ts';
import { mapHypervisorErrors } from '../host/hypervisor-errors.ts';
import { assertIdle } from '../record/rights.ts';
import { readDisks } from '../record/machine-rows.ts';
import type { VmRow } from '../record/machine-rows.ts';
import type { DeleteInput } from './action.ts';

/** @throws ApiError `vm_busy`, `image_in_use` when a disk is the base of another image */
export async function requestDelete(
  context: MachinesContext,
  action: Action,
  { principal, row, body }: { principal: Principal; row: VmRow; body: DeleteVmRequest },
): Promise<Snapshot> {
  const { store } = context;
  const { id: vmId, uuid, name, poolId } = row;
  assertIdle(row);
  if (body.disks) await mapHypervisorErrors(context, () => assertDisksCurrent(context, row));
  const id = createOperationId();
  const input: DeleteInput = { poolId, vmId, uuid, name, disks: body.disks };
  const taken = store.db
    .updateTable('vms')
    .set({ operationId: id })
    .where('id', '=', vmId)
    .where('operationId', 'is', null);
  const acceptance: Acceptance = {
    id,
    action: action.name,
    principal,
    input,
    subject: { kind: 'vm', id: vmId, name },
    target: null,
    names: [],
    reservedBytes: 0,
    retryOf: null,
    statements: [{ query: taken, expectRows: 1 }],
  };
  const disks = body.disks ? (await readDisks(store, vmId)).map(({ imageId }) => imageId) : [];
  return exclusively(context.images, disks, async () => {
    await assertDisksUnused(context, { vmId, disks });
    return context.operations.accept(acceptance);
  });
}

async function assertDisksUnused(
  { store, images }: MachinesContext,
  { vmId, disks }: { vmId: VmId; disks: readonly ImageId[] },
): Promise<void> {
  if (disks.length === 0) return;
  const hint = 'Keep the disks, or wait for the operations that use them.';
  const image = await store.db
    .selectFrom('images')
    .select('name')
    .where('baseId', 'in', disks)
    .executeTakeFirst();
  if (image !== undefined) {
    const message = `A disk of the machine is the base of the image "${image.name}".`;
    throw new ApiError('image_in_use', { message, hint: 'Keep the disks, or delete that image first.' });
  }
  const references = await images.references.all();
  const isOther = ({ kind, id }: ImageReference): boolean => kind !== 'vm' || id !== vmId;
  if (disks.some((disk) => references.get(disk)?.some(isOther) === true))
    throw new ApiError('image_in_use', { message: 'Something else uses a disk of the machine.', hint });
}
