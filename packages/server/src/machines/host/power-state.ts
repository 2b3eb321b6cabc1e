import { ApiError } from '@wcc/api';
import type { MachinesContext } from '../context.ts';
import type { MachineStatus } from '../hypervisor.ts';
import { isOn } from '../hypervisor/run-state.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import { assertNoLayers } from './disk-layers.ts';
import type { VmRow } from '../record/machine-rows.ts';

/** @throws ApiError `vm_not_running` when the machine is off */
export function assertOn(status: MachineStatus | null): void {
  if (status === null || !isOn(status)) throw new ApiError('vm_not_running');
}

/** @throws ApiError `vm_not_running`, `vm_paused` */
export function assertGuestRuns(status: MachineStatus | null): void {
  if (status?.state === 'paused' || status?.state === 'suspended') throw new ApiError('vm_paused');
  if (status?.state !== 'running') throw new ApiError('vm_not_running');
}

/** @throws ApiError `vm_running`, `vm_saved`, `vm_changed_outside` */
export async function assertOff(context: MachinesContext, row: VmRow): Promise<void> {
  const status = await context.hypervisor.status(row.uuid);
  if (status === null) await assertNoLayers(context, row);
  if (status?.state === 'saved') throw new ApiError('vm_saved');
  if (!isOff(status)) throw new ApiError('vm_running');
}

/** Also of a machine that the hypervisor does not know. */
export function isOff(status: MachineStatus | null): boolean {
  if (status === null) return true;
  return status.state === 'shut_off' || (status.state === 'crashed' && !isOn(status));
}

/**
 * For work on the disks or settings of a machine that wcc itself does, without its hypervisor.
 * @throws HypervisorError `changed_outside`
 */
export async function assertUnchanged({ hypervisor }: MachinesContext, { uuid }: VmRow): Promise<void> {
  const { differences = [] } = (await hypervisor.status(uuid)) ?? {};
  if (differences.length > 0) throw new HypervisorError('changed_outside', { differences });
}
