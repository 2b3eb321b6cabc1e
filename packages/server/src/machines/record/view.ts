import type { Vm, VmMay, VmState, VmStateReason, VmStateReasonCode } from '@wcc/api';
import { errorRegistry } from '@wcc/api';
import type { Principal } from '../../access/principal.ts';
import { can } from '../../access/rules.ts';
import type { Store } from '../../storage/store.ts';
import type { MachineStatus } from '../hypervisor.ts';
import { canUseVm } from './rights.ts';
import { bootOrderOf } from './machine-rows.ts';
import type { VmDiskRow, VmRow } from './machine-rows.ts';

/** UUID → status from the hypervisor; null when it does not answer. */
export type Statuses = ReadonlyMap<string, MachineStatus> | null;

/** Message and hint of each reason. */
const reasonTexts: Readonly<Record<VmStateReasonCode, readonly [message: string, hint: string]>> = {
  emergency_floor: [
    'wcc paused the machine, because the file system of its disks has too little free space.',
    'Free space there. Then the machine resumes automatically.',
  ],
  deleting: ['The machine is being deleted.', ''],
  guest_panic: ['The guest system panicked.', 'Read the serial log, then reset the machine.'],
  hypervisor_unavailable: [
    errorRegistry.hypervisor_unavailable.message,
    errorRegistry.hypervisor_unavailable.hint,
  ],
  io_error: ['A disk of the machine reported an I/O error.', "Check the disk and the host's system log."],
  no_answer: ['The machine runs but does not answer.', 'Wait a moment. If this persists, power it off.'],
  no_space: [
    "The file system of the machine's disk is full.",
    'Free space there, then start the machine again.',
  ],
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
  const { id, uuid, name, operationId, cpus, memoryBytes, firmware, cdBus, mac, ownerId } = row;
  const { ownerName, createdAt } = row;
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
    cdBus,
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
  // The hypervisor lost the machine. The next start defines it again.
  if (status === undefined) return { state: 'shut_off', stateReason: null };
  const isEmergency = status.state === 'paused' && row.pausedFor !== null;
  return { state: status.state, stateReason: reasonOf(isEmergency ? row.pausedFor : status.reason) };
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

/** A machine of another program: listed without any allowed action. */
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
    cdBus: null,
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
