import type {
  AddDiskInput,
  ChangeVmRequest,
  DeleteVmRequest,
  SetCdromRequest,
  Vm,
  VmId,
  VmVerb,
} from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { Principal } from '../../access/principal.ts';
import type { MachinesContext } from '../context.ts';
import { readVm } from '../list.ts';
import { assertIdle, assertVmRight } from '../record/rights.ts';
import type { VmRow } from '../record/machine-rows.ts';
import { createDeleteAction } from '../remove/action.ts';
import { requestDelete } from '../remove/request.ts';
import { controlVm } from './control.ts';
import { addDisk, growDisk } from './disks.ts';
import { changeVm, setCdrom } from './settings.ts';

/** Changes of an existing machine. Calls for one machine run one after the other. */
export interface VmChanges {
  /** Accepts the operation `delete_vm`. */
  remove(principal: Principal, id: VmId, body: DeleteVmRequest): Promise<Snapshot>;
  control(principal: Principal, id: VmId, verb: VmVerb): Promise<Vm>;
  change(principal: Principal, id: VmId, body: ChangeVmRequest): Promise<Vm>;
  setCdrom(principal: Principal, id: VmId, body: SetCdromRequest): Promise<Vm>;
  addDisk(principal: Principal, id: VmId, body: AddDiskInput): Promise<Vm>;
  growDisk(principal: Principal, id: VmId, body: { index: number; sizeBytes: number }): Promise<Vm>;
}

export function createVmChanges(context: MachinesContext): VmChanges {
  const { store, machineMutex, operations } = context;
  const deleteAction = createDeleteAction(context);
  operations.register(deleteAction);
  /** Reads the row inside the mutex, because an earlier call may have changed it. */
  async function change(principal: Principal, id: VmId, work: (row: VmRow) => Promise<void>): Promise<Vm> {
    const row = await machineMutex(String(id))(async () => {
      const found = await assertVmRight(store, principal, { id, right: 'vm.control' });
      await work(found);
      return assertVmRight(store, principal, { id, right: 'vm.control' });
    });
    return readVm(context, principal, row);
  }
  return {
    remove: (principal, id, body) =>
      machineMutex(String(id))(async () => {
        const row = await assertVmRight(store, principal, { id, right: 'vm.delete' });
        return requestDelete(context, deleteAction, { principal, row, body });
      }),
    control: (principal, id, verb) =>
      change(principal, id, async (row) => {
        assertIdle(row);
        await controlVm(context, { row, verb, principal });
      }),
    change: (principal, id, body) =>
      change(principal, id, (row) => changeVm(context, { row, principal, body })),
    setCdrom: (principal, id, body) =>
      change(principal, id, (row) => setCdrom(context, { row, principal, body })),
    addDisk: (principal, id, body) =>
      change(principal, id, (row) => addDisk(context, { row, principal, body })),
    growDisk: (principal, id, { index, sizeBytes }) =>
      change(principal, id, (row) => growDisk(context, { row, principal, body: { sizeBytes }, index })),
  };
}
