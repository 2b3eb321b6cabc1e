import { ApiError } from '@wcc/api';
import type { MachinesContext } from '../context.ts';
import type { MachineStatus } from '../hypervisor.ts';
import type { VmRow } from '../record/machine-rows.ts';

/** @throws ApiError `vm_not_running` */
export function assertRunning(status: MachineStatus | null): void {
  if (status?.state !== 'running' && status?.state !== 'paused') throw new ApiError('vm_not_running');
}

/** @throws ApiError `vm_running` */
export async function assertOff({ hypervisor }: MachinesContext, { uuid }: VmRow): Promise<void> {
  if (!isOff(await hypervisor.status(uuid))) throw new ApiError('vm_running');
}

/** Also of a machine that the hypervisor does not know. */
export function isOff(status: MachineStatus | null): boolean {
  return status === null || status.state === 'shut_off' || status.state === 'crashed';
}
