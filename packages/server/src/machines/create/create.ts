import { ApiError, createVmRequest, copyVmRequest, hostNameOf, quickCreateVmRequest } from '@wcc/api';
import type { CopyVmRequest, CreateVmInput, ImageId, QuickCreateVmInput, VmId } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { availableParallelism } from 'node:os';
import type { Principal } from '../../access/principal.ts';
import { assertRight } from '../../access/rules.ts';
import { readImage } from '../../images/image-rows.ts';
import { assertImageVisible } from '../../images/references.ts';
import type { Action } from '../../operations/action.ts';
import { routeOf } from '../../operations/idempotency.ts';
import type { MachinesContext } from '../context.ts';
import { createVmAction } from './action.ts';
import { requestVm, withoutSecrets } from './accept.ts';
import type { PreparedVm, RequestedVm } from './accept.ts';
import { mapHypervisorErrors } from '../host/hypervisor-errors.ts';
import { assertOff, assertUnchanged } from '../host/power-state.ts';
import { readProfile } from '../../access/first-boot-profiles.ts';
import { assertIdle, assertVmRight } from '../record/rights.ts';
import { bootOrderOf, readDisks } from '../record/machine-rows.ts';
import { assertUserData } from '../seed/user-data.ts';

export interface CreateRequest<Body> {
  principal: Principal;
  body: Body;
  idempotencyKey: string | null;
  /** @default null */
  retryOf?: string | null;
}

/** The three ways to create a machine. Each one accepts an operation of a different action. */
export interface VmCreator {
  create(request: CreateRequest<CreateVmInput>): Promise<Snapshot>;
  quickCreate(request: CreateRequest<QuickCreateVmInput>): Promise<Snapshot>;
  copy(request: CreateRequest<CopyVmRequest> & { id: VmId }): Promise<Snapshot>;
}

export function createVmCreator(context: MachinesContext): VmCreator {
  const creator: VmCreator = {
    create: (request) => create(context, createAction, request),
    quickCreate: (request) => quickCreate(context, quickAction, request),
    copy: (request) => copy(context, copyAction, request),
  };
  const createAction = createVmAction(context, 'create_vm', (input, retry) =>
    creator.create({ ...retry, body: createVmRequest.parse(withHostName(input.request)) }),
  );
  const quickAction = createVmAction(context, 'quick_create_vm', (input, retry) =>
    creator.quickCreate({ ...retry, body: quickCreateVmRequest.parse(input.request) }),
  );
  const copyAction = createVmAction(context, 'copy_vm', (input, retry) => {
    const { id, ...body } = input.request as { id: VmId; name: string };
    return creator.copy({ ...retry, id, body: copyVmRequest.parse(body) });
  });
  for (const action of [createAction, quickAction, copyAction]) context.operations.register(action);
  return creator;
}

/** A stored request. 0.1.0 accepted host names that are none. */
function withHostName(request: unknown): unknown {
  const { firstBoot } = request as Pick<CreateVmInput, 'firstBoot'>;
  if (firstBoot?.hostname === undefined) return request;
  return { ...(request as object), firstBoot: { ...firstBoot, hostname: hostNameOf(firstBoot.hostname) } };
}

const defaultCdBus = 'scsi';

async function create(
  context: MachinesContext,
  action: Action,
  { principal, body, idempotencyKey, retryOf = null }: CreateRequest<CreateVmInput>,
): Promise<Snapshot> {
  assertRight(principal, 'vm.make');
  return requestVm(context, {
    action,
    principal,
    prepare: async () => prepareNew(body),
    idempotencyKey,
    route: routeOf('POST /api/vms', retryOf),
    body,
    retryOf,
  });
}

function prepareNew(body: CreateVmInput): PreparedVm {
  assertUserData(body.firstBoot?.userData);
  const { name, cpus, memoryBytes, network, firmware, cdBus = defaultCdBus, pool, start } = body;
  const disc = body.disks.find((disk) => disk.kind === 'cdrom');
  const firstBoot = body.firstBoot ?? null;
  const requested: RequestedVm = {
    name,
    cpus,
    memoryBytes,
    network,
    firmware,
    cdBus,
    pool,
    start,
    firstBoot,
    disks: body.disks.filter((disk) => disk.kind !== 'cdrom'),
    cdrom: disc?.image ?? null,
    bootOrder: body.bootOrder ?? ['disk', 'cdrom'],
  };
  const request = { ...body, firstBoot: withoutSecrets(firstBoot)[0] ?? undefined };
  return { requested, request, copyOf: null };
}

const defaultMemoryBytes = 2 * 1024 ** 3;
const defaultCpus = 2;

async function quickCreate(
  context: MachinesContext,
  action: Action,
  { principal, body, idempotencyKey, retryOf = null }: CreateRequest<QuickCreateVmInput>,
): Promise<Snapshot> {
  assertRight(principal, 'vm.make');
  return requestVm(context, {
    action,
    principal,
    prepare: () => prepareQuick(context, principal, body),
    idempotencyKey,
    route: routeOf('POST /api/vms/quick-create', retryOf),
    body,
    retryOf,
  });
}

async function prepareQuick(
  context: MachinesContext,
  principal: Principal,
  body: QuickCreateVmInput,
): Promise<PreparedVm> {
  const { image, name, sizeBytes, full, start } = body;
  const { user, sshKeys } = await readProfile(context.store, principal.userId);
  await assertTemplateVisible(context, principal, image);
  const requested: RequestedVm = {
    name,
    cpus: body.cpus ?? Math.min(defaultCpus, availableParallelism()),
    memoryBytes: body.memoryBytes ?? defaultMemoryBytes,
    disks: [full ? { kind: 'copy', image, method: 'auto', sizeBytes } : { kind: 'thin', image, sizeBytes }],
    cdrom: null,
    network: { kind: 'user', name: null },
    firmware: 'bios',
    cdBus: body.cdBus ?? defaultCdBus,
    bootOrder: ['disk'],
    firstBoot: { sshKeys, ...(user === null ? {} : { user }) },
    pool: undefined,
    start,
  };
  return { requested, request: body, copyOf: null };
}

/** Checks the image before anything else. @throws ApiError `not_found` for the field `image` */
async function assertTemplateVisible(
  { store, images }: MachinesContext,
  principal: Principal,
  id: ImageId,
): Promise<void> {
  const seen = assertImageVisible(images, principal, id).then(() => readImage(store, id));
  await seen.catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    throw new ApiError('not_found', { field: 'image', message: 'No such image.' });
  });
}

/**
 * Copies the disks and settings of a machine that is off. UUID, MAC address and seed are new. A machine without a seed
 * gets none: a seed would make cloud-init of its guest run for the first time.
 */
async function copy(
  context: MachinesContext,
  action: Action,
  { principal, id, body, idempotencyKey, retryOf = null }: CreateRequest<CopyVmRequest> & { id: VmId },
): Promise<Snapshot> {
  assertRight(principal, 'vm.make');
  return requestVm(context, {
    action,
    principal,
    prepare: () => prepareCopy(context, principal, { id, body }),
    idempotencyKey,
    route: routeOf(`POST /api/vms/${id}/copy`, retryOf),
    body,
    retryOf,
  });
}

async function prepareCopy(
  context: MachinesContext,
  principal: Principal,
  { id, body }: { id: VmId; body: CopyVmRequest },
): Promise<PreparedVm> {
  const row = await assertVmRight(context.store, principal, { id, right: 'vm.control' });
  assertIdle(row);
  const isSilent = await mapHypervisorErrors(context, async () => {
    await assertOff(context, row);
    await assertUnchanged(context, row);
    return row.hasSeed === 1 && (await hasPrintedNothing(context, row.uuid));
  });
  const disks = await readDisks(context.store, id);
  const { cpus, memoryBytes, firmware, cdBus, poolId } = row;
  const requested: RequestedVm = {
    name: body.name,
    cpus,
    memoryBytes,
    firmware,
    cdBus,
    pool: poolId,
    start: false,
    firstBoot: row.hasSeed === 1 ? { sshKeys: [] } : null,
    disks: disks.map(({ imageId }) => ({ kind: 'copy', image: imageId, method: 'auto' as const })),
    cdrom: row.cdromImageId,
    network: { kind: row.networkKind, name: row.networkName },
    bootOrder: bootOrderOf(row),
  };
  return { requested, request: { id, ...body }, copyOf: { id, name: row.name, isSilent } };
}

/** A machine that the hypervisor does not have is judged by nothing. */
async function hasPrintedNothing({ hypervisor }: MachinesContext, uuid: string): Promise<boolean> {
  if ((await hypervisor.status(uuid)) === null) return false;
  return (await hypervisor.readSerial(uuid)).length === 0;
}
