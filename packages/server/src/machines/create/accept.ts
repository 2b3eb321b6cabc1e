import { ApiError } from '@wcc/api';
import type { BootDevice, CdBus, FirstBoot, ImageId, VmId, VmNetwork } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId, formatBytes } from '@wcc/progress';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Principal } from '../../access/principal.ts';
import { claimBase } from '../../images/base-file.ts';
import { assertNameFree } from '../../images/names.ts';
import type { Pool } from '../../images/pool/pools.ts';
import { whileUsable } from '../../images/use.ts';
import { measureFreeSpace } from '../../images/space/free-space.ts';
import type { Action } from '../../operations/action.ts';
import type { Store, WriteStatement } from '../../storage/store.ts';
import type { MachinesContext } from '../context.ts';
import { assertCpus, assertHypervisor, assertNetwork } from '../host/host.ts';
import { assertHostMemory } from '../host/memory.ts';
import type { MemoryPromise } from '../host/memory.ts';
import { mapHypervisorErrors } from '../host/hypervisor-errors.ts';
import type { MachineStatus } from '../hypervisor.ts';
import type { FirstBootSecrets } from '../record/secrets.ts';
import { insertVm } from '../record/machine-rows.ts';
import type { CreateInput, DiskPlan, VmPlan } from '../record/plan.ts';
import { assertIso, draftDisk, nameDisks } from './plan-disks.ts';
import type { RequestedDisk } from './plan-disks.ts';

/** A requested machine, in the same form for all three actions. */
export interface RequestedVm {
  name: string;
  cpus: number;
  memoryBytes: number;
  disks: readonly RequestedDisk[];
  /** The image number of the ISO in the drive. */
  cdrom: number | null;
  network: VmNetwork;
  firmware: 'bios' | 'uefi';
  cdBus: CdBus;
  bootOrder: readonly BootDevice[];
  firstBoot: FirstBoot | null;
  pool: string | undefined;
  start: boolean;
}

export interface PreparedVm {
  requested: RequestedVm;
  /** The request without its secrets, kept for a retry. */
  request: unknown;
  /** The source of `copy_vm`; null for a new machine. */
  copyOf: { id: VmId; name: string; isSilent: boolean } | null;
}

export interface ProvisionRequest {
  action: Action;
  principal: Principal;
  /** Checks what can change between two requests. It does not run for a request that was accepted before. */
  prepare: () => Promise<PreparedVm>;
  idempotencyKey: string | null;
  /** Route and body are the scope of the idempotency key. */
  route: string;
  body: unknown;
  retryOf: string | null;
}

/** Checks the request, then accepts the operation. A refusal changes nothing. */
export async function requestVm(context: MachinesContext, provision: ProvisionRequest): Promise<Snapshot> {
  const { principal, idempotencyKey: key, route, body } = provision;
  const request = { userId: principal.userId, route, key, body };
  return context.operations.idempotency.once(request, async (remember) => {
    const prepared = { ...provision, ...(await provision.prepare()) };
    // One at a time, so that two requests cannot take the same name.
    return context.machineMutex('create')(() => checkAndAccept(context, prepared, remember));
  });
}

type Provision = Omit<ProvisionRequest, 'prepare'> & PreparedVm;

async function checkAndAccept(
  context: MachinesContext,
  provision: Provision,
  remember: (operationId: string) => WriteStatement[],
): Promise<Snapshot> {
  const { requested, principal } = provision;
  await assertHostFits(context, requested);
  await assertNameUnique(context.store, requested.name);
  if (requested.cdrom !== null)
    await assertIso(context, { principal, image: requested.cdrom, field: 'disks' });
  const pool = await poolOf(context, requested.pool);
  const drafts = await Promise.all(
    requested.disks.map((disk, index) =>
      draftDisk(context, disk, { principal, pool, field: `disks.${index}` }),
    ),
  );
  const uuid = randomUUID();
  const promise = await mapHypervisorErrors(context, () => promiseMemory(context, requested, uuid));
  try {
    const number = context.numbers.take();
    const { fileSystemKey } = await measureFreeSpace(context.images, pool);
    return await context.images.fileSystemMutex(fileSystemKey)(async () => {
      const vm = planVm({ id: number.id, uuid }, requested);
      const { disks, statements } = await nameDisks(context, drafts, { vm, pool });
      await assertNamesAndSpace(context, pool, disks);
      const id = createOperationId();
      const rows = [number.statement, ...statements, ...remember(id)];
      return whileUsable(context.images, imagesOf(vm, disks), async () => {
        const claims = await claimBases(context, disks);
        return accept(context, provision, { id, vm, disks, pool, statements: [...rows, ...claims] });
      });
    });
  } finally {
    // The accepted operation holds the promise now.
    promise.release();
  }
}

/** Checks that need no list of machines. */
async function assertHostFits(
  { hypervisor, memory }: MachinesContext,
  requested: RequestedVm,
): Promise<void> {
  const { hasUefi } = await assertHypervisor(hypervisor);
  assertCpus(requested.cpus);
  if (requested.firmware === 'uefi' && !hasUefi)
    throw new ApiError('firmware_missing', { field: 'firmware' });
  await assertHostMemory(memory, requested.memoryBytes, { now: requested.start });
}

/**
 * Checks that need the hypervisor's lists. They run last, because these calls take longest.
 * @returns the promise of the memory of a machine that is to start
 */
async function promiseMemory(
  { hypervisor, memory }: MachinesContext,
  { name, network, memoryBytes, start }: RequestedVm,
  uuid: string,
): Promise<Pick<MemoryPromise, 'release'>> {
  await assertNetwork(hypervisor, network);
  const promise = start
    ? await memory.promise({ uuid, memoryBytes })
    : { machines: await hypervisor.list(), release: () => {} };
  try {
    assertNoMachineNamed(promise.machines, name);
    return promise;
  } catch (error) {
    promise.release();
    throw error;
  }
}

/** Checks the name among wcc's machines. @throws ApiError `vm_name_taken` */
export async function assertNameUnique({ db }: Store, name: string): Promise<void> {
  const taken = await db.selectFrom('vms').select('id').where('name', '=', name).executeTakeFirst();
  if (taken !== undefined) throw nameTaken(name);
}

/** Checks the name among the hypervisor's machines, including foreign ones. @throws ApiError `vm_name_taken` */
export function assertNoMachineNamed(machines: readonly MachineStatus[], name: string): void {
  if (machines.some((machine) => machine.name === name)) throw nameTaken(name);
}

function nameTaken(name: string): ApiError {
  const message = `A machine named "${name}" already exists.`;
  return new ApiError('vm_name_taken', { field: 'name', message });
}

async function poolOf({ images: { pools } }: MachinesContext, requested: string | undefined): Promise<Pool> {
  const id = requested ?? pools.all()[0]?.id;
  if (id === undefined) throw new ApiError('not_found');
  return pools.use(id);
}

/** Checks names and space inside the file system's mutex, so that no other request reserves them. */
async function assertNamesAndSpace(
  context: MachinesContext,
  pool: Pool,
  disks: readonly DiskPlan[],
): Promise<void> {
  for (const { name } of disks) await assertNameFree(context.store, pool, name);
  const { freeBytes } = await measureFreeSpace(context.images, pool);
  const needsBytes = totalNeedsBytes(disks);
  if (needsBytes <= freeBytes) return;
  const message = `The disks need ${formatBytes(needsBytes)}; ${formatBytes(freeBytes)} are free.`;
  throw new ApiError('no_space', { message });
}

/** The images that the machine needs: the sources and bases of its disks, and the ISO in its drive. */
function imagesOf({ cdromImageId }: VmPlan, disks: readonly DiskPlan[]): ImageId[] {
  const sources = disks.map(({ making }) => (making.kind === 'blank' ? null : making.source.id));
  const needed = [...sources, ...disks.map(({ baseId }) => baseId), cdromImageId];
  return needed.filter((id) => id !== null);
}

/** @throws ApiError `base_changed` */
async function claimBases(
  { images }: MachinesContext,
  disks: readonly DiskPlan[],
): Promise<WriteStatement[]> {
  const bases = new Set(disks.map(({ baseId }) => baseId).filter((id) => id !== null));
  return (await Promise.all([...bases].map((id) => claimBase(images, id)))).flat();
}

function totalNeedsBytes(disks: readonly DiskPlan[]): number {
  return disks.reduce((sum, { needsBytes }) => sum + needsBytes, 0);
}

function planVm(identity: { id: VmId; uuid: string }, requested: RequestedVm): VmPlan {
  const { name, cpus, memoryBytes, firmware, network, bootOrder, cdrom, cdBus } = requested;
  const fresh = { ...identity, mac: randomMac() };
  const settings = { name, cpus, memoryBytes, firmware, network, bootOrder };
  return { ...fresh, ...settings, cdromImageId: cdrom, cdBus };
}

/** QEMU's own prefix, which no hardware vendor uses, and 24 random bits. */
function randomMac(): string {
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
  { action, principal, requested, request, copyOf, retryOf }: Provision,
  { id, vm, disks, pool, statements }: Accepted,
): Promise<Snapshot> {
  const [firstBoot, secrets] = withoutSecrets(requested.firstBoot);
  const input: CreateInput = {
    poolId: pool.id,
    vm,
    disks,
    firstBoot,
    hasSecrets: secrets !== null,
    isCopy: copyOf !== null,
    isOriginalSilent: copyOf?.isSilent ?? false,
    start: requested.start,
    ownerId: principal.userId,
    request,
  };
  const rows = insertVm(context, { input, operationId: id, ownerName: principal.userName });
  const secretRows = secrets === null ? [] : [context.secrets.keep(id, secrets)];
  const created = { kind: 'vm', id: vm.id, name: vm.name };
  return context.operations.accept({
    id,
    action: action.name,
    principal,
    input,
    subject: copyOf === null ? created : { kind: 'vm', id: copyOf.id, name: copyOf.name },
    target: copyOf === null ? null : created,
    names: disks.map(({ name }) => name),
    reservedBytes: totalNeedsBytes(disks),
    retryOf,
    statements: [...rows, ...secretRows, ...statements],
  });
}

/** Splits off the secrets, because the operation's record must not contain them. */
export function withoutSecrets(firstBoot: FirstBoot | null): [FirstBoot | null, FirstBootSecrets | null] {
  if (firstBoot === null) return [null, null];
  const { passwordHash, userData, ...rest } = firstBoot;
  if (passwordHash === undefined && userData === undefined) return [rest, null];
  return [rest, { passwordHash, userData }];
}
