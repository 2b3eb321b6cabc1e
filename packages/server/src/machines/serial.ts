import type { VmId } from '@wcc/api';
import type { Principal } from '../access/principal.ts';
import type { MachinesContext } from './context.ts';
import { mapHypervisorErrors } from './host/hypervisor-errors.ts';
import type { FollowSerialOptions } from './hypervisor.ts';
import { assertVmRight } from './record/rights.ts';

/** The serial port of a machine. */
export interface VmSerial {
  /** @throws ApiError `not_found`, `forbidden` when the principal may not read the log */
  assertSerial(principal: Principal, id: VmId): Promise<void>;
  /** The newest bytes, at most `serialLimitBytes`. */
  serial(principal: Principal, id: VmId): Promise<Buffer>;
  /** Yields the end of the log, which may be empty, then new bytes as they arrive, until the signal aborts. */
  followSerial(principal: Principal, id: VmId, options: FollowSerialOptions): Promise<AsyncIterable<Buffer>>;
}

export function createVmSerial(context: MachinesContext): VmSerial {
  const { store, hypervisor } = context;
  return {
    async assertSerial(principal, id) {
      await assertVmRight(store, principal, { id, right: 'vm.serial' });
    },
    async serial(principal, id) {
      const row = await assertVmRight(store, principal, { id, right: 'vm.serial' });
      return mapHypervisorErrors(context, async () => {
        const isKnown = (await hypervisor.status(row.uuid)) !== null;
        return isKnown ? hypervisor.readSerial(row.uuid) : Buffer.alloc(0);
      });
    },
    async followSerial(principal, id, options) {
      const row = await assertVmRight(store, principal, { id, right: 'vm.serial' });
      return hypervisor.followSerial(row.uuid, options);
    },
  };
}
