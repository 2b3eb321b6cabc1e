import type { Vm, VmMay, VmState, VmStateReason, VmStateReasonCode } from '@wcc/api';
import { errorRegistry } from '@wcc/api';
import type { Principal } from '../../access/principal.ts';
import { can } from '../../access/rules.ts';
import type { Store } from '../../storage/store.ts';
import type { MachineStatus } from '../hypervisor.ts';
import { canUseVm } from './rights.ts';
import { bootOrderOf } from './machine-rows.ts';
import type { VmDiskRow, VmRow } from './machine-rows.ts';

/** What the hypervisor has now, by UUID; null: it does not answer. */
export type Statuses = ReadonlyMap<string, MachineStatus> | null;

/** What it is, and what to do. */
const reasonTexts: Readonly<Record<VmStateReasonCode, readonly [message: string, hint: string]>> = {
  deleting: ['It is being deleted.', ''],
  guest_panic: ['Its system panicked.', 'Read its serial log, then reset it.'],
  hypervisor_unavailable: [
    errorRegistry.hypervisor_unavailable.message,
    errorRegistry.hypervisor_unavailable.hint,
  ],
  io_error: ['A disk of it reported an error.', "Look at its disk, and at the host's own log."],
  no_answer: ['It runs, but does not answer.', 'Wait a moment; if it stays so, power it off.'],
  no_space: ['The disk below it is full.', 'Make room there, then start it again.'],
};

function reasonOf(code: VmStateReasonCode | null): VmStateReason | null {
  if (code === null) return null;
  const [message, hint] = reasonTexts[code];
  return { code, message, hint };
}

/** A machine as this principal sees it. */
export async function toVm(
  store: Store,
  {
    row,
    disks,
    statuses,
    principal,
  }: { row: VmRow; disks: readonly VmDiskRow[]; statuses: Statuses; principal: Principal },
): Promise<Vm> {
  const { id, uuid, name, operationId, cpus, memoryBytes, firmware, mac, ownerId, ownerName, createdAt } =
    row;
  const { state, stateReason } = stateOf(row, statuses);
  return {
    id,
    name,
    uuid,
    state,
    stateReason,
    operation: operationId,
    cpus,
    memoryBytes,
    disks: disks.map(({ position, imageId, name: file, format, sizeBytes, baseId }) => ({
      index: position,
      image: imageId,
      name: file,
      format,
      sizeBytes,
      base: baseId,
    })),
    cdrom: await cdromOf(store, row),
    network: { kind: row.networkKind, name: row.networkName },
    macAddress: mac,
    firmware,
    bootOrder: bootOrderOf(row),
    owner: ownerId,
    ownerName,
    foreign: false,
    createdAt,
    may: allowedActions(principal, row, state),
  };
}

export function stateOf(
  row: VmRow,
  statuses: Statuses,
): { state: VmState; stateReason: VmStateReason | null } {
  if (row.state === 'making') return { state: 'making', stateReason: null };
  if (row.state !== 'ready') return { state: 'making', stateReason: reasonOf('deleting') };
  if (statuses === null) return { state: 'unknown', stateReason: reasonOf('hypervisor_unavailable') };
  const status = statuses.get(row.uuid);
  // Made, and forgotten by the hypervisor: its next start defines it again.
  if (status === undefined) return { state: 'shut_off', stateReason: null };
  return { state: status.state, stateReason: reasonOf(status.reason) };
}

async function cdromOf(store: Store, { cdromImageId }: VmRow): Promise<Vm['cdrom']> {
  if (cdromImageId === null) return null;
  const image = await store.db
    .selectFrom('images')
    .select('name')
    .where('id', '=', cdromImageId)
    .executeTakeFirst();
  return image === undefined ? null : { image: cdromImageId, name: image.name };
}

function allowedActions(principal: Principal, row: VmRow, state: VmState): VmMay {
  const isIdle = row.state === 'ready' && row.operationId === null;
  const controls = isIdle && canUseVm(principal, 'vm.control', row);
  const runs = state === 'running' || state === 'paused';
  const isOff = state === 'shut_off' || state === 'crashed';
  const isSeen = row.state === 'ready';
  return {
    start: controls && (isOff || state === 'paused'),
    shutdown: controls && state === 'running',
    powerOff: controls && (runs || state === 'unknown'),
    reset: controls && runs,
    edit: controls && isOff,
    cdrom: controls,
    copy: isIdle && isOff && canUseVm(principal, 'vm.control', row) && can(principal, 'vm.make'),
    delete: isIdle && canUseVm(principal, 'vm.delete', row),
    screen: isSeen && runs && canUseVm(principal, 'vm.screen', row),
    input: isSeen && runs && canUseVm(principal, 'vm.screen', row) && canUseVm(principal, 'vm.control', row),
    serial: isSeen && canUseVm(principal, 'vm.serial', row),
  };
}

const noActions: VmMay = {
  start: false,
  shutdown: false,
  powerOff: false,
  reset: false,
  edit: false,
  cdrom: false,
  copy: false,
  delete: false,
  screen: false,
  input: false,
  serial: false,
};

/** A machine of another program: told, and left alone. */
export function toForeignVm({ uuid, name, state, reason, cpus, memoryBytes }: MachineStatus): Vm {
  return {
    id: null,
    name,
    uuid,
    state,
    stateReason: reasonOf(reason),
    operation: null,
    cpus,
    memoryBytes,
    disks: [],
    cdrom: null,
    network: { kind: 'none', name: null },
    macAddress: null,
    firmware: 'bios',
    bootOrder: [],
    owner: null,
    ownerName: null,
    foreign: true,
    createdAt: null,
    may: noActions,
  };
}
