import { ApiError } from '@wcc/api';
import type { BootDevice, FirstBoot, VmNetwork } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId, formatBytes } from '@wcc/progress';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Principal } from '../../access/principal.ts';
import { assertNameFree } from '../../images/names.ts';
import type { Pool } from '../../images/pool/pools.ts';
import { measureRoom } from '../../images/free-space.ts';
import type { Action } from '../../operations/action.ts';
import type { Store, WriteStatement } from '../../storage/store.ts';
import type { MachinesContext } from '../context.ts';
import { assertCpus, assertHypervisor, assertMemory, assertNetwork, ordered } from '../host/host.ts';
import type { MachineStatus } from '../hypervisor.ts';
import type { FirstBootSecrets } from '../record/secrets.ts';
import { insertVm } from '../record/machine-rows.ts';
import type { CreateInput, DiskPlan, VmPlan } from './input.ts';
import { assertIso, draftDisk, nameDisks } from './plan-disks.ts';
import type { WantedDisk } from './plan-disks.ts';

/** A machine as it is asked for, whichever action asks. */
export interface WantedVm {
  name: string;
  cpus: number;
  memoryBytes: number;
  disks: readonly WantedDisk[];
  /** The ISO in its drive. */
  cdrom: number | null;
  network: VmNetwork;
  firmware: 'bios' | 'uefi';
  bootOrder: readonly BootDevice[];
  firstBoot: FirstBoot | null;
  pool: string | undefined;
  start: boolean;
}

export interface CreateOrder {
  action: Action;
  principal: Principal;
  wanted: WantedVm;
  /** Kept without secrets, for a retry. */
  request: unknown;
  /** The machine that is copied; null: a new one. */
  copyOf: { id: number; name: string } | null;
  idempotencyKey: string | null;
  /** The address asked at, and what was sent: the scope of the key. */
  route: string;
  body: unknown;
  retryOf: string | null;
}

/** Checks everything that can be checked, then makes the operation. A refusal moves nothing. */
export async function requestVm(context: MachinesContext, order: CreateOrder): Promise<Snapshot> {
  const { principal, idempotencyKey: key, route, body } = order;
  const request = { userId: principal.userId, route, key, body };
  return context.operations.idempotency.once(request, (remember) =>
    // One at a time: of two machines of one name, the second is told.
    context.machineMutex('create')(() => checkAndAccept(context, order, remember)),
  );
}

async function checkAndAccept(
  context: MachinesContext,
  order: CreateOrder,
  remember: (operationId: string) => WriteStatement[],
): Promise<Snapshot> {
  const { wanted, principal } = order;
  await assertHostFits(context, wanted);
  await assertNameUnique(context.store, wanted.name);
  if (wanted.cdrom !== null) await assertIso(context, { principal, image: wanted.cdrom, field: 'disks' });
  const pool = await poolOf(context, wanted.pool);
  const drafts = await Promise.all(
    wanted.disks.map((disk, index) => draftDisk(context, disk, { principal, pool, field: `disks.${index}` })),
  );
  await ordered(() => assertFitsAmongMachines(context, wanted));
  const number = context.numbers.take();
  const { fileSystemKey } = await measureRoom(context.images, pool);
  return context.images.fileSystemMutex(fileSystemKey)(async () => {
    const vm = planVm(number.id, wanted);
    const { disks, statements } = await nameDisks(context, drafts, { vm, pool });
    await assertNamesAndSpace(context, pool, disks);
    const id = createOperationId(randomBytes);
    const rows = [number.statement, ...statements, ...remember(id)];
    return accept(context, order, { id, vm, disks, pool, statements: rows });
  });
}

/** What this process knows by itself. */
async function assertHostFits({ hypervisor }: MachinesContext, wanted: WantedVm): Promise<void> {
  const { hasUefi } = await assertHypervisor(hypervisor);
  assertCpus(wanted.cpus);
  if (wanted.firmware === 'uefi' && !hasUefi) throw new ApiError('firmware_missing', { field: 'firmware' });
  await assertMemory(wanted.memoryBytes, { now: wanted.start });
}

/** What only the hypervisor knows: it is asked last, because its answer takes longest, and once. */
async function assertFitsAmongMachines({ hypervisor }: MachinesContext, wanted: WantedVm): Promise<void> {
  await assertNetwork(hypervisor, wanted.network);
  const machines = await hypervisor.list();
  assertNoMachineNamed(machines, wanted.name);
  if (wanted.start) await assertMemory(wanted.memoryBytes, { now: true, machines });
}

/** Unique among wcc's machines. @throws ApiError `vm_name_taken` */
export async function assertNameUnique({ db }: Store, name: string): Promise<void> {
  const taken = await db.selectFrom('vms').select('id').where('name', '=', name).executeTakeFirst();
  if (taken !== undefined) throw nameTaken(name);
}

/** Unique among the hypervisor's machines, others' too. @throws ApiError `vm_name_taken` */
export function assertNoMachineNamed(machines: readonly MachineStatus[], name: string): void {
  if (machines.some((machine) => machine.name === name)) throw nameTaken(name);
}

function nameTaken(name: string): ApiError {
  const message = `There is already a machine named "${name}".`;
  return new ApiError('vm_name_taken', { field: 'name', message });
}

async function poolOf({ images: { pools } }: MachinesContext, wanted: string | undefined): Promise<Pool> {
  const id = wanted ?? pools.all()[0]?.id;
  if (id === undefined) throw new ApiError('not_found');
  return pools.use(id);
}

/** Names and room together: nobody else can be promised the same in between. */
async function assertNamesAndSpace(
  context: MachinesContext,
  pool: Pool,
  disks: readonly DiskPlan[],
): Promise<void> {
  for (const { name } of disks) await assertNameFree(context.store, pool, name);
  const { freeBytes } = await measureRoom(context.images, pool);
  const needsBytes = needsOf(disks);
  if (needsBytes <= freeBytes) return;
  const message = `Needs ${formatBytes(needsBytes)}, ${formatBytes(freeBytes)} free.`;
  throw new ApiError('no_space', { message });
}

function needsOf(disks: readonly DiskPlan[]): number {
  return disks.reduce((sum, { needsBytes }) => sum + needsBytes, 0);
}

function planVm(id: number, wanted: WantedVm): VmPlan {
  const { name, cpus, memoryBytes, firmware, network, bootOrder, cdrom } = wanted;
  const fresh = { uuid: randomUUID(), mac: freshMac() };
  return { id, ...fresh, name, cpus, memoryBytes, firmware, network, bootOrder, cdromImageId: cdrom };
}

/** QEMU's own prefix, so that it meets no hardware; 24 random bits. */
function freshMac(): string {
  const tail = [...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0'));
  return ['52', '54', '00', ...tail].join(':');
}

interface Accepted {
  id: string;
  vm: VmPlan;
  disks: DiskPlan[];
  pool: Pool;
  statements: readonly WriteStatement[];
}

function accept(
  context: MachinesContext,
  { action, principal, wanted, request, copyOf, retryOf }: CreateOrder,
  { id, vm, disks, pool, statements }: Accepted,
): Promise<Snapshot> {
  const [firstBoot, secrets] = withoutSecrets(wanted.firstBoot);
  const input: CreateInput = {
    poolId: pool.id,
    vm,
    disks,
    firstBoot,
    hasSecrets: secrets !== null,
    start: wanted.start,
    ownerId: principal.userId,
    request,
  };
  const rows = insertVm(context, { input, operationId: id, ownerName: principal.userName });
  const kept = secrets === null ? [] : [context.secrets.keep(id, secrets)];
  const made = { kind: 'vm', id: vm.id, name: vm.name };
  return context.operations.accept({
    id,
    action,
    principal,
    input,
    subject: copyOf === null ? made : { kind: 'vm', ...copyOf },
    target: copyOf === null ? null : made,
    names: disks.map(({ name }) => name),
    reservedBytes: needsOf(disks),
    retryOf,
    statements: [...rows, ...kept, ...statements],
  });
}

/** The record holds no secret, ever. */
export function withoutSecrets(firstBoot: FirstBoot | null): [FirstBoot | null, FirstBootSecrets | null] {
  if (firstBoot === null) return [null, null];
  const { passwordHash, userData, ...rest } = firstBoot;
  if (passwordHash === undefined && userData === undefined) return [rest, null];
  return [rest, { passwordHash, userData }];
}
