import type { VmVerb } from '@wcc/api';
import { audit } from '../../access/audit.ts';
import type { Principal } from '../../access/principal.ts';
import type { MachinesContext } from '../context.ts';
import { adoptSettings } from './adopt.ts';
import { assertNoLayers } from '../host/disk-layers.ts';
import { assertHypervisor } from '../host/host.ts';
import { mapHypervisorErrors } from '../host/hypervisor-errors.ts';
import { assertMayRun } from '../host/may-run.ts';
import { assertGuestRuns, assertOn } from '../host/power-state.ts';
import type { MachineStatus } from '../hypervisor.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import { isDead, isOn } from '../hypervisor/run-state.ts';
import { readDisks, specOf } from '../record/machine-rows.ts';
import type { VmDiskRow, VmRow } from '../record/machine-rows.ts';

/** Starts, stops or resets a machine, … @throws ApiError `vm_running`, `vm_not_running`, … */
export async function controlVm(
  context: MachinesContext,
  { row, verb, principal }: { row: VmRow; verb: VmVerb; principal: Principal },
): Promise<void> {
  const { hypervisor, store } = context;
  await mapHypervisorErrors(context, async () => {
    await assertHypervisor(hypervisor);
    const status = await hypervisor.status(row.uuid);
    await commands[verb](context, { row, status, principal });
  });
  await store.write([audit(principal, `vm.${verb}`, `vm:${row.id}`)]);
}

interface Order {
  row: VmRow;
  status: MachineStatus | null;
  principal: Principal;
}

type Command = (context: MachinesContext, order: Order) => Promise<void>;

const commands: Readonly<Record<VmVerb, Command>> = {
  start: startVm,
  async shutdown({ hypervisor }, { row: { uuid }, status }) {
    assertGuestRuns(status);
    await hypervisor.shutdown(uuid);
  },
  async 'power-off'({ hypervisor, emergencyFloor }, { row, status }) {
    await emergencyFloor.release(row);
    if (status !== null) await hypervisor.powerOff(row.uuid);
  },
  async reset(context, { row, status }) {
    assertOn(status);
    if (status?.state !== 'running') {
      await assertMayRun(context, { poolId: row.poolId, opens: [] });
      await context.emergencyFloor.release(row);
    }
    await context.hypervisor.reset(row.uuid);
  },
  async 'discard-saved-state'({ hypervisor }, { row: { uuid }, status }) {
    if (status !== null) await hypervisor.discardSavedState(uuid);
  },
  adopt: adoptSettings,
};

/** Starts, resumes, wakes or restores a machine, if the host has memory and room for it. Leaves a running one alone. */
export async function startVm(
  context: MachinesContext,
  { row, status }: Pick<Order, 'row' | 'status'>,
): Promise<void> {
  const { hypervisor, memory, emergencyFloor } = context;
  if (status?.state === 'running') return;
  const disks = await readDisks(context.store, row.id);
  const isFresh = status === null || !isOn(status);
  // The driver ends the process of a dead guest, and begins another one.
  const opens = isFresh || isDead(status) ? disks : [];
  await assertMayRun(context, { poolId: row.poolId, opens });
  if (status === null) await assertNoLayers(context, row);
  await emergencyFloor.release(row);
  const memoryBytes = Math.max(row.memoryBytes, status?.memoryBytes ?? 0);
  const promise = await memory.promise({ uuid: row.uuid, memoryBytes });
  try {
    // A saved machine is restored as it was.
    if (isFresh && status?.state !== 'saved') await prepareBoot(context, row, disks);
    await hypervisor.start(row.uuid);
  } finally {
    promise.release();
  }
}

/** The store is the source of truth: the hypervisor may have lost the machine or have an older specification. */
async function prepareBoot(context: MachinesContext, row: VmRow, disks: readonly VmDiskRow[]): Promise<void> {
  const spec = await specOf(context, row, disks);
  await context.hypervisor.define(spec).catch((error: unknown) => {
    // The machine starts as the hypervisor has it, and shows the difference.
    if (!(error instanceof HypervisorError) || error.code !== 'changed_outside') throw error;
  });
}
