import { ApiError } from '@wcc/api';
import type { DeleteVmInput, VmId } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import { randomBytes } from 'node:crypto';
import type { Principal } from '../../access/principal.ts';
import type { Action } from '../../operations/action.ts';
import type { MachinesContext } from '../context.ts';
import { assertIdle } from '../record/rights.ts';
import { readDisks } from '../record/machine-rows.ts';
import type { VmRow } from '../record/machine-rows.ts';
import type { DeleteInput } from './action.ts';

/** @throws ApiError `vm_busy`, `image_in_use` when a disk is the base of another image */
export async function requestDelete(
  context: MachinesContext,
  action: Action,
  { principal, row, body }: { principal: Principal; row: VmRow; body: DeleteVmInput },
): Promise<Snapshot> {
  const { store } = context;
  const { id: vmId, uuid, name, poolId } = row;
  assertIdle(row);
  if (body.disks) await assertDisksUnused(context, vmId);
  const id = createOperationId(randomBytes);
  const input: DeleteInput = { poolId, vmId, uuid, name, disks: body.disks };
  const taken = store.db
    .updateTable('vms')
    .set({ operationId: id })
    .where('id', '=', vmId)
    .where('operationId', 'is', null);
  return context.operations.accept({
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
  });
}

async function assertDisksUnused({ store }: MachinesContext, vmId: VmId): Promise<void> {
  const ids = (await readDisks(store, vmId)).map(({ imageId }) => imageId);
  if (ids.length === 0) return;
  const image = await store.db
    .selectFrom('images')
    .select('name')
    .where('baseId', 'in', ids)
    .executeTakeFirst();
  if (image === undefined) return;
  const message = `A disk of the machine is the base of the image "${image.name}".`;
  throw new ApiError('image_in_use', { message, hint: 'Keep the disks, or delete that image first.' });
}
