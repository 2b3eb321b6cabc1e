import type { Duplex } from 'node:stream';
import type { VmId } from '@wcc/api';
import { audit } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import type { MachinesContext } from './context.ts';
import { mapHypervisorErrors } from './host/hypervisor-errors.ts';
import { assertOn } from './host/power-state.ts';
import { assertVmRight, canUseVm } from './record/rights.ts';

/** A machine's screen with the rights of one principal. */
export interface ScreenOfVm {
  vmId: VmId;
  open(): Promise<Duplex>;
  /** Whether this principal may send keys and pointer now. */
  readonly mayInput: boolean;
}

/** The screen of a machine: live, or as a picture. */
export interface VmScreens {
  /** The screen as PNG. @throws ApiError `not_found`, `forbidden`, `vm_not_running` */
  screenshot(principal: Principal, id: VmId): Promise<Buffer>;
  /** @throws ApiError `not_found`, `forbidden`, `vm_not_running` */
  screen(principal: Principal, id: VmId): Promise<ScreenOfVm>;
  /** Writes into the audit log that the principal opened the screen. */
  noteScreen(principal: Principal, id: VmId): Promise<void>;
}

export function createVmScreens(context: MachinesContext): VmScreens {
  const { store, hypervisor } = context;
  return {
    async screenshot(principal, id) {
      const row = await assertVmRight(store, principal, { id, right: 'vm.screen' });
      return mapHypervisorErrors(context, async () => {
        assertOn(await hypervisor.status(row.uuid));
        return hypervisor.screenshot(row.uuid);
      });
    },
    async screen(principal, id) {
      const row = await assertVmRight(store, principal, { id, right: 'vm.screen' });
      return mapHypervisorErrors(context, async () => {
        assertOn(await hypervisor.status(row.uuid));
        return {
          vmId: id,
          open: () => mapHypervisorErrors(context, () => hypervisor.openScreen(row.uuid)),
          mayInput: canUseVm(principal, 'vm.control', row),
        };
      });
    },
    async noteScreen(principal, id) {
      await store.write([audit(principal, 'vm.screen', `vm:${id}`)]);
    },
  };
}
