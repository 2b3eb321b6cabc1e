import type {
  AddDiskInput,
  ChangeVmRequest,
  CopyVmRequest,
  CreateVmInput,
  DeleteVmInput,
  FirstBootProfile,
  Host,
  QuickCreateVmInput,
  SetCdromRequest,
  Vm,
  VmList,
} from '@wcc/api';
import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { Duplex } from 'node:stream';
import type { OnError } from '@wcc/progress/server';
import { audit } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { can } from '../access/rules.ts';
import type { Right } from '../access/rules.ts';
import type { ImagesContext } from '../images/context.ts';
import { createImageNumbers } from '../images/image-rows.ts';
import { createKeyedMutex } from '../operations/mutex.ts';
import type { Operations } from '../operations/operations.ts';
import { openSecretBox } from '../storage/secret-box.ts';
import type { Store } from '../storage/store.ts';
import { changeVm, setCdrom } from './change/settings.ts';
import type { MachinesContext } from './context.ts';
import { addDisk, growDisk } from './change/disks.ts';
import { describeHost, ordered } from './host/host.ts';
import type { FollowSerialOptions, Hypervisor } from './hypervisor.ts';
import { demandRunning, orderVm } from './change/control.ts';
import type { VmVerb } from './change/control.ts';
import { imagesOfMachines } from './record/image-references.ts';
import { createMakers } from './create/create.ts';
import type { MakeOrder } from './create/create.ts';
import { readProfile, writeProfile } from '../access/first-boot-profiles.ts';
import { createDeleteAction } from './remove/action.ts';
import { requestDelete } from './remove/request.ts';
import { demandIdle, demandVm, may } from './record/rights.ts';
import { createOperationSecrets } from './record/secrets.ts';
import { createSeeds } from './seed/seeds.ts';
import { sweepAbandoned } from './host/sweep.ts';
import { withdrawUnrecordedDisks } from './host/orphan-disks.ts';
import { toForeignVm, toVm } from './record/view.ts';
import type { Statuses } from './record/view.ts';
import { readDisks } from './record/machine-rows.ts';
import type { VmRow } from './record/machine-rows.ts';

export interface MachinesOptions {
  store: Store;
  operations: Operations;
  images: ImagesContext;
  hypervisor: Hypervisor;
  dataDir: string;
  onError: OnError;
}

/** A machine's screen as one principal may use it. */
export interface ScreenOfVm {
  vmId: number;
  open(): Promise<Duplex>;
  /** Whether this principal may send keys and pointer now. */
  readonly mayInput: boolean;
}

/** Virtual machines. Every call checks the right of the principal that it names. */
export interface Machines {
  /** Removes what earlier operations could not. After the operations were adopted. */
  start(): Promise<void>;
  host(principal: Principal): Promise<Host>;
  list(principal: Principal): Promise<VmList>;
  get(principal: Principal, id: number): Promise<Vm>;
  create(order: MakeOrder<CreateVmInput>): Promise<Snapshot>;
  quickCreate(order: MakeOrder<QuickCreateVmInput>): Promise<Snapshot>;
  copy(order: MakeOrder<CopyVmRequest> & { id: number }): Promise<Snapshot>;
  remove(principal: Principal, id: number, body: DeleteVmInput): Promise<Snapshot>;
  order(principal: Principal, id: number, verb: VmVerb): Promise<Vm>;
  change(principal: Principal, id: number, body: ChangeVmRequest): Promise<Vm>;
  setCdrom(principal: Principal, id: number, body: SetCdromRequest): Promise<Vm>;
  addDisk(principal: Principal, id: number, body: AddDiskInput): Promise<Vm>;
  growDisk(principal: Principal, id: number, body: { index: number; sizeBytes: number }): Promise<Vm>;
  serial(principal: Principal, id: number): Promise<Buffer>;
  /** First the end of what `serial` tells, then what comes, until the signal aborts. */
  followSerial(
    principal: Principal,
    id: number,
    options: FollowSerialOptions,
  ): Promise<AsyncIterable<Buffer>>;
  screenshot(principal: Principal, id: number): Promise<Buffer>;
  /** In the audit record: a screen was opened. */
  noteScreen(principal: Principal, id: number): Promise<void>;
  /** @throws ApiError `not_found`, `forbidden`, `vm_not_running` */
  screen(principal: Principal, id: number): Promise<ScreenOfVm>;
  profile(principal: Principal): Promise<FirstBootProfile>;
  changeProfile(principal: Principal, profile: FirstBootProfile): Promise<FirstBootProfile>;
  /** Machines go on; only what belongs to this process ends. */
  close(): Promise<void>;
}

const sweepMs = 60_000;

export async function createMachines(options: MachinesOptions): Promise<Machines> {
  const { store, operations, hypervisor, onError } = options;
  const context: MachinesContext = {
    store,
    operations,
    images: options.images,
    hypervisor,
    seeds: createSeeds(options.dataDir),
    secrets: createOperationSecrets(store, await openSecretBox(options.dataDir)),
    numbers: await createImageNumbers(store, 'vm'),
    machineMutex: createKeyedMutex(),
    onError,
  };
  options.images.users.add(() => imagesOfMachines(store));
  const makers = createMakers(context);
  const sweep = (): void => {
    sweepAbandoned(context).catch((error: unknown) => onError(error, { stage: 'machines: sweep' }));
  };
  const timer = setInterval(sweep, sweepMs).unref();
  return {
    async start() {
      await withdrawUnrecordedDisks(context);
      await sweepAbandoned(context);
    },
    ...readers(context),
    ...makers,
    ...changers(context),
    ...screens(context),
    ...profiles(context),
    async close() {
      clearInterval(timer);
      await hypervisor.close();
    },
  };
}

function readers(
  context: MachinesContext,
): Pick<Machines, 'host' | 'list' | 'get' | 'serial' | 'followSerial' | 'screenshot'> {
  const { store, hypervisor } = context;
  return {
    async host(principal) {
      demand(principal, 'host.see');
      return ordered(() => describeHost(hypervisor));
    },
    list: (principal) => listVms(context, principal),
    async get(principal, id) {
      const row = await demandVm(store, principal, { id, right: 'vm.list' });
      return describe(context, { row, statuses: await readStatuses(context), principal });
    },
    async serial(principal, id) {
      const row = await demandVm(store, principal, { id, right: 'vm.serial' });
      return ordered(async () => {
        const isKnown = (await hypervisor.status(row.uuid)) !== null;
        return isKnown ? hypervisor.readSerial(row.uuid) : Buffer.alloc(0);
      });
    },
    async followSerial(principal, id, options) {
      const row = await demandVm(store, principal, { id, right: 'vm.serial' });
      return hypervisor.followSerial(row.uuid, options);
    },
    async screenshot(principal, id) {
      const row = await demandVm(store, principal, { id, right: 'vm.screen' });
      return ordered(async () => {
        demandRunning(await hypervisor.status(row.uuid));
        return hypervisor.screenshot(row.uuid);
      });
    },
  };
}

async function listVms(context: MachinesContext, principal: Principal): Promise<VmList> {
  // Who may see none sees an empty list.
  demand(principal, 'host.see');
  const rows = await context.store.db
    .selectFrom('vms')
    .selectAll()
    .where('state', '!=', 'abandoned')
    .orderBy('id')
    .execute();
  const statuses = await readStatuses(context);
  const seen = rows.filter((row) => may(principal, 'vm.list', row));
  const own = await Promise.all(seen.map((row) => describe(context, { row, statuses, principal })));
  // Nobody's own: only who sees everything sees these.
  const seesAll = can(principal, 'vm.list', { owner: null });
  const known = new Set(rows.map(({ uuid }) => uuid));
  const others = [...(statuses?.values() ?? [])].filter(({ uuid, foreign }) => foreign && !known.has(uuid));
  return { items: [...own, ...(seesAll ? others.map(toForeignVm) : [])] };
}

type Changers = Pick<Machines, 'remove' | 'order' | 'change' | 'setCdrom' | 'addDisk' | 'growDisk'>;

function changers(context: MachinesContext): Changers {
  const deleteAction = createDeleteAction(context);
  context.operations.register(deleteAction);
  /** One order at a time on each machine, by what it is when its turn comes. */
  async function change(principal: Principal, id: number, work: (row: VmRow) => Promise<void>): Promise<Vm> {
    const row = await context.machineMutex(String(id))(async () => {
      const found = await demandVm(context.store, principal, { id, right: 'vm.control' });
      await work(found);
      return demandVm(context.store, principal, { id, right: 'vm.control' });
    });
    return describe(context, { row, statuses: await readStatuses(context), principal });
  }
  return {
    remove: (principal, id, body) =>
      context.machineMutex(String(id))(async () => {
        const row = await demandVm(context.store, principal, { id, right: 'vm.delete' });
        return requestDelete(context, deleteAction, { principal, row, body });
      }),
    order: (principal, id, verb) =>
      change(principal, id, async (row) => {
        demandIdle(row);
        await orderVm(context, { row, verb, principal });
      }),
    change: (principal, id, body) =>
      change(principal, id, (row) => changeVm(context, { row, principal, body })),
    setCdrom: (principal, id, body) =>
      change(principal, id, (row) => setCdrom(context, { row, principal, body })),
    addDisk: (principal, id, body) =>
      change(principal, id, (row) => addDisk(context, { row, principal, body })),
    growDisk: (principal, id, { index, sizeBytes }) =>
      change(principal, id, (row) => growDisk(context, { row, principal, body: { sizeBytes }, index })),
  };
}

function screens(context: MachinesContext): Pick<Machines, 'screen' | 'noteScreen'> {
  const { store, hypervisor } = context;
  return {
    async noteScreen(principal, id) {
      await store.write([audit(principal, 'vm.screen', `vm:${id}`)]);
    },
    async screen(principal, id) {
      const row = await demandVm(store, principal, { id, right: 'vm.screen' });
      return ordered(async () => {
        demandRunning(await hypervisor.status(row.uuid));
        return {
          vmId: id,
          open: () => ordered(() => hypervisor.openScreen(row.uuid)),
          mayInput: may(principal, 'vm.control', row),
        };
      });
    },
  };
}

function profiles({ store }: MachinesContext): Pick<Machines, 'profile' | 'changeProfile'> {
  return {
    async profile(principal) {
      demand(principal, 'profile.see', principal.userId);
      return readProfile(store, principal.userId);
    },
    async changeProfile(principal, profile) {
      demand(principal, 'profile.change', principal.userId);
      return writeProfile(store, principal, profile);
    },
  };
}

function demand(principal: Principal, right: Right, owner: string | null = null): void {
  if (!can(principal, right, { owner })) throw new ApiError('forbidden');
}

/** Null when the hypervisor does not answer: the machines are there all the same. */
async function readStatuses({ hypervisor }: MachinesContext): Promise<Statuses> {
  const { missing } = await hypervisor.probe();
  if (missing !== null) return null;
  const machines = await hypervisor.list().catch(() => null);
  return machines === null ? null : new Map(machines.map((status) => [status.uuid, status]));
}

async function describe(
  context: MachinesContext,
  { row, statuses, principal }: { row: VmRow; statuses: Statuses; principal: Principal },
): Promise<Vm> {
  return toVm(context.store, { row, disks: await readDisks(context.store, row.id), statuses, principal });
}
