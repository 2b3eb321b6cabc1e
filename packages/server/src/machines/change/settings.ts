import type { ChangeVmRequest } from '@wcc/api';
import { audit } from '../../access/audit.ts';
import type { Principal } from '../../access/principal.ts';
import type { MachinesContext } from '../context.ts';
import { whileUsable } from '../../images/use.ts';
import { assertIso } from '../create/plan-disks.ts';
import { assertNameUnique, assertNoMachineNamed } from '../create/accept.ts';
import { assertCpus, assertHypervisor } from '../host/host.ts';
import { assertHostMemory } from '../host/memory.ts';
import { mapHypervisorErrors } from '../host/hypervisor-errors.ts';
import { assertOff } from '../host/power-state.ts';
import { assertIdle } from '../record/rights.ts';
import { autostartOf, readDisks, specOf } from '../record/machine-rows.ts';
import type { VmRow } from '../record/machine-rows.ts';

export interface VmChange<Body> {
  row: VmRow;
  principal: Principal;
  body: Body;
}

/**
 * Changes CPUs, memory, name, boot order or the bus of the drives of a machine that is off, and its autostart at any
 * time. @throws ApiError `vm_running`, `vm_name_taken`, …
 */
export async function changeVm(
  context: MachinesContext,
  { row, principal, body }: VmChange<ChangeVmRequest>,
): Promise<void> {
  const { autostart, ...hardware } = body;
  assertIdle(row);
  const values = {
    ...(autostart === undefined ? {} : autostartValues(row, autostart)),
    ...(Object.keys(hardware).length === 0 ? {} : await changeHardware(context, row, hardware)),
  };
  if (Object.keys(values).length === 0) return;
  const query = context.store.db.updateTable('vms').set(values).where('id', '=', row.id);
  await context.store.write([{ query, expectRows: 1 }, audit(principal, 'vm.change', `vm:${row.id}`)]);
}

/** Fields that the request leaves out stay. */
function autostartValues(
  row: VmRow,
  change: NonNullable<ChangeVmRequest['autostart']>,
): Pick<VmRow, 'autostart' | 'autostartOrder' | 'autostartDelaySeconds'> {
  const { enabled, order, delaySeconds } = { ...autostartOf(row), ...change };
  return {
    autostart: enabled === true ? 1 : 0,
    autostartOrder: order ?? row.autostartOrder,
    autostartDelaySeconds: delaySeconds ?? row.autostartDelaySeconds,
  };
}

/** Gives the hypervisor the new hardware. @returns the columns to store */
async function changeHardware(
  context: MachinesContext,
  row: VmRow,
  body: Omit<ChangeVmRequest, 'autostart'>,
): Promise<Pick<VmRow, 'name' | 'cpus' | 'memoryBytes' | 'bootOrder' | 'cdBus'>> {
  const { store, hypervisor } = context;
  const { name = row.name, cpus = row.cpus, memoryBytes = row.memoryBytes, cdBus = row.cdBus } = body;
  const bootOrder = body.bootOrder === undefined ? row.bootOrder : JSON.stringify(body.bootOrder);
  const values = { name, cpus, memoryBytes, bootOrder, cdBus };
  await mapHypervisorErrors(context, async () => {
    await assertHypervisor(hypervisor);
    await assertOff(context, row);
    assertCpus(cpus);
    await assertHostMemory(context.memory, memoryBytes, { now: false });
    if (name !== row.name) {
      await assertNameUnique(store, name);
      // The hypervisor may know this machine by the new name already.
      const others = (await hypervisor.list()).filter(({ uuid }) => uuid !== row.uuid);
      assertNoMachineNamed(others, name);
    }
    await hypervisor.define(await specOf(context, { ...row, ...values }, await readDisks(store, row.id)));
  });
  return values;
}

/** Inserts an ISO into the drive or ejects it, running or not. */
export async function setCdrom(
  context: MachinesContext,
  { row, principal, body }: VmChange<{ image: number | null }>,
): Promise<void> {
  assertIdle(row);
  if (body.image !== null) await assertIso(context, { principal, image: body.image, field: 'image' });
  await whileUsable(context.images, body.image === null ? [] : [body.image], () =>
    insertDisc(context, { row, principal, body }),
  );
}

async function insertDisc(
  context: MachinesContext,
  { row, principal, body }: VmChange<{ image: number | null }>,
): Promise<void> {
  const { store, hypervisor } = context;
  const { cdrom } = await specOf(context, { ...row, cdromImageId: body.image }, []);
  await mapHypervisorErrors(context, async () => {
    await assertHypervisor(hypervisor);
    if ((await hypervisor.status(row.uuid)) !== null) await hypervisor.setCdrom(row.uuid, cdrom);
  });
  const query = store.db.updateTable('vms').set({ cdromImageId: body.image }).where('id', '=', row.id);
  await store.write([{ query, expectRows: 1 }, audit(principal, 'vm.cdrom', `vm:${row.id}`)]);
}
