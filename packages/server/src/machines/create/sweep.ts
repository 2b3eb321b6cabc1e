import type { VmId } from '@wcc/api';
import type { Store, WriteStatement } from '../../storage/store.ts';
import type { MachinesContext } from '../context.ts';
import { undoProvision } from './undo.ts';

/**
 * Reserves the file names of an abandoned machine, so that a scan of the pool does not register them as images. The
 * store contains this word.
 */
function holderOf(vmId: VmId): string {
  return `abandoned-vm-${vmId}`;
}

/** Statements for the end of a failed operation that has left files. `sweepAbandoned` removes them later. */
export function markAbandoned({ db }: Store, vmId: VmId): WriteStatement[] {
  const operation = db.selectFrom('vms').select('operationId').where('id', '=', vmId);
  const names = db
    .updateTable('nameReservations')
    .set({ operationId: holderOf(vmId) })
    .where('operationId', '=', operation);
  return [
    { query: names },
    { query: db.updateTable('vms').set({ state: 'abandoned' }).where('id', '=', vmId) },
  ];
}

/** Retries to remove files of a failed operation, for example because the hypervisor did not answer then. */
export async function sweepAbandoned(context: MachinesContext): Promise<void> {
  const { store, onError } = context;
  const rows = await store.db
    .selectFrom('vms')
    .select(['id', 'operationId'])
    .where('state', '=', 'abandoned')
    .execute();
  for (const { id, operationId } of rows) {
    await removeAbandonedVm(context, id, operationId ?? '').catch((error: unknown) =>
      onError(error, { stage: `machine ${id}: cleanup` }),
    );
  }
}

async function removeAbandonedVm(context: MachinesContext, id: VmId, operationId: string): Promise<void> {
  const { db } = context.store;
  await undoProvision(context, operationId, id);
  await context.store.write([
    { query: db.deleteFrom('nameReservations').where('operationId', '=', holderOf(id)) },
    { query: db.deleteFrom('vmDisks').where('vmId', '=', id) },
    { query: db.deleteFrom('vms').where('id', '=', id) },
  ]);
}
