import type { CreateVmRequest, Vm } from '@wcc/api';
import { createVmRequest, quickCreateVmRequest } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBootSector } from '../images/sample/boot-sector.ts';
import { startDomain, admin, MiB } from '../images/images.testkit.ts';
import type { DomainUnderTest } from '../images/images.testkit.ts';
import type { Principal } from '../access/principal.ts';
import type { FreeSpaceFloor } from '../images/space/reservations.ts';
import type { HostMemory } from './host/memory.ts';
import type { AutostartOptions } from './autostart/autostart.ts';
import { createQemuDriver } from './hypervisor/qemu/driver.ts';
import type { Hypervisor } from './hypervisor.ts';
import { createMachines } from './machines.ts';
import type { Machines } from './machines.ts';

export { admin, makePrincipal, MiB, sha256, writeRandom } from '../images/images.testkit.ts';

export interface MachinesUnderTest extends DomainUnderTest {
  readonly machines: Machines;
  readonly hypervisor: Hypervisor;
  /** Creates a small machine and waits until the operation succeeds. */
  create(changes: Partial<CreateVmRequest>, principal?: Principal): Promise<Snapshot>;
  /** Requests a small machine without waiting. */
  request(changes: Partial<CreateVmRequest>, principal?: Principal): Promise<Snapshot>;
  quickCreate(
    body: Parameters<typeof quickCreateVmRequest.parse>[0],
    principal?: Principal,
  ): Promise<Snapshot>;
  vm(name: string): Promise<Vm>;
  /** All files and rows of machines: pool files, seeds, definitions, rows, reservations. */
  traces(): Promise<string[]>;
}

export interface MachinesOptions {
  home?: string;
  /** Directory of the pool, e.g. on another file system. @default in `home` */
  poolDir?: string;
  /** @default none */
  emergencyFloor?: FreeSpaceFloor;
  maxRunningPerPool?: number;
  /** Interval of looks at the pool. @default 30000 */
  pollMs?: number;
  autostart?: AutostartOptions;
  /** Wraps the driver, e.g. to delay a call. */
  wrapHypervisor?: (hypervisor: Hypervisor) => Hypervisor;
  /** @default the memory of this host */
  readHostMemory?: () => Promise<HostMemory>;
}

/** Operations, images and machines with the real QEMU driver, without HTTP. */
export async function startMachines(options: MachinesOptions = {}): Promise<MachinesUnderTest> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'wcc-machines-')));
  const onError = (error: unknown, { stage }: { stage: string }): void => {
    domain.errors.push({ stage, error });
  };
  const hypervisor = await createQemuDriver({ dir: join(home, 'qemu'), onError });
  let machines: Machines | null = null;
  const domain = await startDomain({
    ...options,
    home,
    prepare: async ({ store, operations, images }) => {
      machines = await createMachines({
        store,
        operations,
        images: images.context,
        hypervisor: options.wrapHypervisor?.(hypervisor) ?? hypervisor,
        dataDir: home,
        ...(options.emergencyFloor && { emergencyFloor: options.emergencyFloor }),
        onError,
        ...(options.autostart && { autostart: options.autostart }),
        ...(options.readHostMemory && { readHostMemory: options.readHostMemory }),
      });
    },
  });
  if (machines === null) throw new Error('startDomain did not call prepare');
  const parts = { domain, machines: machines as Machines, hypervisor };
  await parts.machines.start();
  return { ...domain, ...parts, ...createCalls(parts), ...createTeardown(parts) };
}

interface Parts {
  domain: DomainUnderTest;
  machines: Machines;
  hypervisor: Hypervisor;
}

function createCalls({
  domain,
  machines,
}: Parts): Pick<MachinesUnderTest, 'create' | 'request' | 'quickCreate' | 'vm' | 'traces'> {
  const request = (changes: Partial<CreateVmRequest>, principal = admin): Promise<Snapshot> => {
    const small = { name: 'small', cpus: 1, memoryBytes: 32 * MiB, disks: [], start: false };
    const body = createVmRequest.parse({ ...small, ...changes });
    return machines.create({ principal, body, idempotencyKey: null });
  };
  return {
    request,
    async create(changes, principal) {
      return domain.wait((await request(changes, principal)).id, 'succeeded');
    },
    async quickCreate(body, principal = admin) {
      const quickRequest = { principal, body: quickCreateVmRequest.parse(body), idempotencyKey: null };
      return domain.wait((await machines.quickCreate(quickRequest)).id, 'succeeded');
    },
    async vm(name) {
      const { items } = await machines.list(admin);
      const found = items.find((one) => one.name === name);
      if (!found) throw new Error(`no machine ${name}`);
      return found;
    },
    traces: () => tracesOf(domain),
  };
}

function createTeardown({ domain, machines, hypervisor }: Parts): Pick<MachinesUnderTest, 'stop' | 'close'> {
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    await domain.stop();
    await machines.close();
  };
  return {
    stop: () => (stopped ??= stop()),
    async close() {
      for (const { uuid } of await hypervisor.list()) await hypervisor.powerOff(uuid);
      await (stopped ??= stop());
      await rm(domain.home, { recursive: true, force: true });
    },
  };
}

async function tracesOf({ home, poolDir, store }: DomainUnderTest): Promise<string[]> {
  const list = async (directory: string): Promise<string[]> =>
    (await readdir(directory).catch(() => [])).map((name) => `${directory.slice(home.length + 1)}/${name}`);
  const { db } = store;
  const rows = [
    ...(await db.selectFrom('vms').select('name').execute()).map(({ name }) => `vms: ${name}`),
    ...(await db.selectFrom('vmDisks').select('name').execute()).map(({ name }) => `vmDisks: ${name}`),
    ...(await db.selectFrom('nameReservations').select('name').execute()).map(({ name }) => `name: ${name}`),
    ...(await db.selectFrom('spaceReservations').select('bytes').execute()).map(
      ({ bytes }) => `space: ${bytes}`,
    ),
    ...(await db.selectFrom('operationSecrets').select('operationId').execute()).map(() => 'secret'),
  ];
  const files = [
    ...(await list(poolDir)).filter((path) => /disk\d|\.partial|\.json/.test(path)),
    ...(await list(join(home, 'seeds'))),
    ...(await list(join(home, 'qemu', 'machines'))),
  ];
  return [...files, ...rows];
}

/** Writes a bootable raw disk; its guest prints a greeting. */
export async function writeBootable(path: string, sizeBytes: number = 4 * MiB): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  const file = await open(path, 'w');
  try {
    await file.write(makeBootSector());
    await file.truncate(sizeBytes);
  } finally {
    await file.close();
  }
}
