import type { Host, Vm, VmId, VmList } from '@wcc/api';
import type { Principal } from '../access/principal.ts';
import { can, assertRight } from '../access/rules.ts';
import type { MachinesContext } from './context.ts';
import { describeHost } from './host/host.ts';
import { mapHypervisorErrors } from './host/hypervisor-errors.ts';
import { readDisks } from './record/machine-rows.ts';
import type { VmRow } from './record/machine-rows.ts';
import { assertVmRight, canUseVm } from './record/rights.ts';
import { toForeignVm, toVm } from './record/view.ts';
import type { Statuses } from './record/view.ts';

/** The host and the machines that a principal may see. */
export interface VmReader {
  host(principal: Principal): Promise<Host>;
  list(principal: Principal): Promise<VmList>;
  get(principal: Principal, id: VmId): Promise<Vm>;
}

export function createVmReader(context: MachinesContext): VmReader {
  return {
    async host(principal) {
      assertRight(principal, 'host.see');
      return mapHypervisorErrors(context, () => describeHost(context));
    },
    list: (principal) => listVms(context, principal),
    async get(principal, id) {
      const row = await assertVmRight(context.store, principal, { id, right: 'vm.list' });
      return readVm(context, principal, row);
    },
  };
}

/** A machine as the principal sees it now. */
export async function readVm(context: MachinesContext, principal: Principal, row: VmRow): Promise<Vm> {
  return describeVm(context, { row, statuses: await readStatuses(context), principal });
}

async function listVms(context: MachinesContext, principal: Principal): Promise<VmList> {
  // A principal who may see no machine gets an empty list.
  assertRight(principal, 'host.see');
  const rows = await context.store.db
    .selectFrom('vms')
    .selectAll()
    .where('state', '!=', 'abandoned')
    .orderBy('id')
    .execute();
  const statuses = await readStatuses(context);
  const visible = rows.filter((row) => canUseVm(principal, 'vm.list', row));
  const own = await Promise.all(visible.map((row) => describeVm(context, { row, statuses, principal })));
  // Foreign machines have no owner, so only a principal who sees every machine sees them.
  const seesAll = can(principal, 'vm.list', { owner: null });
  const known = new Set(rows.map(({ uuid }) => uuid));
  const others = [...(statuses?.values() ?? [])].filter(({ uuid, foreign }) => foreign && !known.has(uuid));
  return { items: [...own, ...(seesAll ? others.map(toForeignVm) : [])] };
}

/** Null when the hypervisor does not answer: the machines are listed anyway, as `unknown`. */
async function readStatuses({ hypervisor }: MachinesContext): Promise<Statuses> {
  const { missing } = await hypervisor.probe();
  if (missing !== null) return null;
  const machines = await hypervisor.list().catch(() => null);
  return machines === null ? null : new Map(machines.map((status) => [status.uuid, status]));
}

async function describeVm(
  context: MachinesContext,
  { row, statuses, principal }: { row: VmRow; statuses: Statuses; principal: Principal },
): Promise<Vm> {
  return toVm(context, { row, disks: await readDisks(context.store, row.id), statuses, principal });
}
