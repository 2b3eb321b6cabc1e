import { audit } from '../../access/audit.ts';
import { assertBasesHold } from '../../images/base-file.ts';
import type { Principal } from '../../access/principal.ts';
import type { MachinesContext } from '../context.ts';
import { assertHypervisor } from '../host/host.ts';
import { mapHypervisorErrors } from '../host/hypervisor-errors.ts';
import { assertRunning } from '../host/power-state.ts';
import type { MachineStatus } from '../hypervisor.ts';
import { readDisks, specOf } from '../record/machine-rows.ts';
import type { VmRow } from '../record/machine-rows.ts';

export type VmVerb = 'start' | 'shutdown' | 'power-off' | 'reset';

/** Starts, stops or resets a machine. @throws ApiError `vm_running`, `vm_not_running`, … */
export async function controlVm(
  context: MachinesContext,
  { row, verb, principal }: { row: VmRow; verb: VmVerb; principal: Principal },
): Promise<void> {
  const { hypervisor, store } = context;
  await mapHypervisorErrors(async () => {
    await assertHypervisor(hypervisor);
    const status = await hypervisor.status(row.uuid);
    await commands[verb](context, row, status);
  });
  await store.write([audit(principal, `vm.${verb}`, `vm:${row.id}`)]);
}

type Command = (context: MachinesContext, row: VmRow, status: MachineStatus | null) => Promise<void>;

const commands: Readonly<Record<VmVerb, Command>> = {
  async start(context, row, status) {
    const { hypervisor, memory, emergencyFloor } = context;
    if (status?.state === 'running') return;
    await emergencyFloor.assertRoom(row.poolId);
    await emergencyFloor.release(row);
    const promise = await memory.promise(row);
    try {
      // The store is the source of truth: the hypervisor may have lost the machine or have an older specification.
      if (status?.state !== 'paused') {
        const disks = await readDisks(context.store, row.id);
        for (const { baseId } of disks) await assertBasesHold(context.images, baseId);
        await hypervisor.define(await specOf(context, row, disks));
      }
      await hypervisor.start(row.uuid);
    } finally {
      promise.release();
    }
  },
  async shutdown({ hypervisor }, { uuid }, status) {
    assertRunning(status);
    await hypervisor.shutdown(uuid);
  },
  async 'power-off'({ hypervisor, emergencyFloor }, row, status) {
    await emergencyFloor.release(row);
    if (status !== null) await hypervisor.powerOff(row.uuid);
  },
  async reset({ hypervisor }, { uuid }, status) {
    assertRunning(status);
    await hypervisor.reset(uuid);
  },
};
