import type { MachinesContext } from '../context.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';

/** An aborted start may still take effect between two calls, so the removal is repeated. */
const attempts = 3;

/** Powers a machine off and undefines it. Does nothing on a host without a hypervisor. */
export async function removeFromHypervisor({ hypervisor }: MachinesContext, uuid: string): Promise<void> {
  try {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      if ((await hypervisor.status(uuid)) !== null) await hypervisor.powerOff(uuid);
      // Calls the driver even for an unknown machine, because an aborted `define` may still be running and ends
      // first.
      await hypervisor.undefine(uuid);
      if ((await hypervisor.status(uuid)) === null) return;
    }
    throw new HypervisorError('invalid_state', { detail: 'the machine starts again after each removal' });
  } catch (error) {
    if (!(error instanceof HypervisorError)) throw error;
    if (error.code !== 'packages_missing' && error.code !== 'unknown_machine') throw error;
  }
}
