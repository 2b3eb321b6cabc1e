import type { Vm, VmMay, VmState, VmStateReason, VmStateReasonCode } from '@wcc/api';
import { errorRegistry } from '@wcc/api';
import type { Principal } from '../../access/principal.ts';
import { can } from '../../access/rules.ts';
import type { Store } from '../../storage/store.ts';
import type { MachinesContext } from '../context.ts';
import type { MachineStatus, SettingDifference } from '../hypervisor.ts';
import { canUseVm } from './rights.ts';
import { autostartOf, bootOrderOf } from './machine-rows.ts';
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
  guest_asleep: ['The guest system sleeps.', 'Start the machine to wake it.'],
  internal_error: [
    'The hypervisor cannot run the guest further.',
    'Look at the screen and the serial log, then reset the machine or power it off.',
  ],
  guest_panic: [
    'The guest system panicked.',
    'Look at the screen and the serial log, then reset the machine.',
  ],
  hypervisor_unavailable: [
    errorRegistry.hypervisor_unavailable.message,
    errorRegistry.hypervisor_unavailable.hint,
  ],
  io_error: [
    'The guest stopped, because a disk of the machine reported an I/O error.',
    "Check the disk and the host's system log, then start the machine again.",
  ],
  no_answer: ['The machine runs but does not answer.', 'Wait a moment. If this persists, power it off.'],
  no_space: [
    "The file system of the machine's disk is full.",
    'Free space there, then start the machine again.',
  ],
  saved_state: [
    'The machine is off, and its memory is saved.',
    'Start the machine to restore it, or discard the saved state to change the machine.',
  ],
};

function reasonOf(code: VmStateReasonCode | null): VmStateReason | null {
  if (code === null) return null;
  const [message, hint] = reasonTexts[code];
  return { code, message, hint };
}

/** A machine as this principal sees it. */
export async function toVm(
  { store, places }: Pick<MachinesContext, 'store' | 'places'>,
  {
    row,
    disks,
    statuses,
    principal,
  }: { row: VmRow; disks: readonly VmDiskRow[]; statuses: Statuses; principal: Principal },
): Promise<Vm> {
  const { id, uuid, name, operationId, cpus, memoryBytes, firmware, cdBus, mac, ownerId } = row;
  const { state, stateReason } = stateOf(row, statuses);
  const shown = (text: string): string => (can(principal, 'pool.locate') ? text : places.hide(text));
  const differences = row.state === 'ready' ? (statuses?.get(uuid)?.differences ?? []) : [];
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
    autostart: autostartOf(row),
    owner: ownerId,
    ownerName: row.ownerName,
    foreign: false,
    changedOutside: differences.map(({ setting, written, found, adopt }) => ({
      setting,
      wcc: shown(written),
      hypervisor: shown(found),
      canAdopt: adopt !== null,
    })),
    createdAt: row.createdAt,
    may: allowedActions(principal, row, { state, stateReason, differences }),
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
  const reason = status.reason ?? reasonOfState[status.state] ?? null;
  return { state: status.state, stateReason: reasonOf(isEmergency ? row.pausedFor : reason) };
}

/** States that mean one thing. */
const reasonOfState: Partial<Record<VmState, VmStateReasonCode>> = {
  suspended: 'guest_asleep',
  saved: 'saved_state',
};

async function cdromOf(store: Store, { cdromImageId }: VmRow): Promise<Vm['cdrom']> {
  if (cdromImageId === null) return null;
  const image = await store.db
    .selectFrom('images')
    .select('name')
    .where('id', '=', cdromImageId)
    .executeTakeFirst();
  return image === undefined ? null : { image: cdromImageId, name: image.name };
}

interface Condition {
  state: VmState;
  stateReason: VmStateReason | null;
  differences: readonly SettingDifference[];
}

function allowedActions(
  principal: Principal,
  row: VmRow,
  { state, stateReason, differences }: Condition,
): VmMay {
  const isIdle = row.state === 'ready' && row.operationId === null;
  const controls = isIdle && canUseVm(principal, 'vm.control', row);
  const isStuck = stateReason?.code === 'guest_panic' || stateReason?.code === 'internal_error';
  const waits = state === 'paused' || state === 'suspended';
  const runs = state === 'running' || waits || isStuck;
  const isOff = state === 'shut_off' || (state === 'crashed' && !isStuck);
  const isUnchanged = differences.length === 0;
  const isSeen = row.state === 'ready';
  return {
    start: controls && (isOff || isStuck || waits || state === 'saved'),
    shutdown: controls && state === 'running',
    powerOff: controls && (runs || state === 'unknown'),
    reset: controls && runs,
    discardSavedState: controls && state === 'saved',
    adopt: controls && !isUnchanged && differences.every(({ adopt }) => adopt !== null),
    edit: controls && isOff && isUnchanged,
    cdrom: controls && state !== 'saved' && isUnchanged,
    autostart: controls,
    copy:
      isIdle && isOff && isUnchanged && canUseVm(principal, 'vm.control', row) && can(principal, 'vm.make'),
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
  discardSavedState: false,
  adopt: false,
  edit: false,
  cdrom: false,
  autostart: false,
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
    autostart: null,
    owner: null,
    ownerName: null,
    foreign: true,
    changedOutside: [],
    createdAt: null,
    may: noActions,
  };
}
