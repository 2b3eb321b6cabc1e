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
  const status = await hypervisor.status(uuid);
  const isOff = status === null || status.state === 'shut_off' || status.state === 'crashed';
  if (!isOff) throw new ApiError('vm_running');
}
