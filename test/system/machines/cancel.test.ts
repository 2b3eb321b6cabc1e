import { execFile } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Image, Operation } from '@wcc/api';
import type { BlockingTools } from '../../kit/blocking-tools.ts';
import { blockingToolsSkipReason } from '../../kit/blocking-tools.ts';
import { GiB, makeRandomImage, MiB } from '../../kit/images.ts';
import { loopMountSkipReason, withLoopFileSystem } from '../../kit/loop-mount.ts';
import { driverSkipReason, startMachineHost } from '../../kit/machine-host.ts';
import type { Driver, MachineHost } from '../../kit/machine-host.ts';
import { currentPhase, hasEnded, listImages, registerImage, waitForState } from '../../kit/operations.ts';
import { until } from '../../kit/poll.ts';
import { everySecond } from '../../kit/share.ts';

/**
 * Cancels machine creation in every phase, with both drivers. The test blocks the phase by a program that never
 * continues, or by a frozen file system. So only the cancel can end the phase, and no test measures time.
 */
const run = promisify(execFile);
const drivers: readonly Driver[] = ['qemu', 'libvirt'];

for (const driver of drivers) {
  const refusal = driverSkipReason(driver) ?? blockingToolsSkipReason() ?? loopMountSkipReason();
  if (refusal !== null) console.log(`skipped: cancels of machines with ${driver}: ${refusal}`);
  describe.skipIf(refusal !== null)(`with ${driver}`, () => {
    describeCancels(driver);
  });
}

/** A program to block, and one of its arguments. */
type Hold = [tool: string, argument: string];
/** Directories below the data directory that a test can freeze. */
type Frozen = 'seeds' | 'machines/qemu/machines';

interface LoopDisk {
  path: string;
  readonly freeze: () => Promise<void>;
  /** Unfreezes the disk; does nothing if the disk is not frozen. */
  readonly thaw: () => Promise<void>;
  readonly unmount: () => Promise<void>;
}

async function mountLoopDisk(): Promise<LoopDisk> {
  return new Promise((mounted, failed) => {
    let release = (): void => {};
    const unmounted = withLoopFileSystem('ext4', 64 * MiB, (path) => {
      const unmount = async (): Promise<void> => {
        release();
        await unmounted;
      };
      const freeze = async (): Promise<void> => void (await run('fsfreeze', ['--freeze', path]));
      const thaw = (): Promise<void> =>
        run('fsfreeze', ['--unfreeze', path]).then(
          () => {},
          () => {},
        );
      mounted({ path, unmount, freeze, thaw });
      return new Promise<void>((resolve) => (release = resolve));
    });
    unmounted.catch(failed);
  });
}

function describeCancels(driver: Driver): void {
  const frozenParts: readonly Frozen[] = driver === 'qemu' ? ['seeds', 'machines/qemu/machines'] : ['seeds'];
  let host: MachineHost;
  let tools: BlockingTools;
  /** Separate file systems that the test can freeze: for seeds, and for definitions of the driver `qemu`. */
  const disks = new Map<Frozen, LoopDisk>();
  let thin: Image;
  let big: Image;
  const small = { cpus: 1, memoryBytes: 32 * MiB };
  const names: string[] = [];
  const freshName = (): string => {
    names.push(`held-${names.length}`);
    return names.at(-1) ?? '';
  };
  const firstBoot = { user: 'me', sshKeys: [], passwordHash: '$6$salt$hash' };

  beforeAll(async () => {
    for (const part of frozenParts) disks.set(part, await mountLoopDisk());
    host = await startMachineHost(driver, { blockable: ['qemu-img', starter], prepare });
    if (host.tools === null) throw new Error('there are no tools to hold');
    ({ tools } = host);
    const { poolDir, api } = host.server;
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', join(poolDir, 'thin.qcow2'), '40G']);
    await makeRandomImage(join(poolDir, 'big.raw'), GiB);
    thin = await registerImage(host.server, 'thin.qcow2');
    big = await registerImage(host.server, 'big.raw');
    for (const { id } of [thin, big]) await api.changeImage(id, { template: true });
  });
  afterEach(async () => {
    tools.release();
    for (const { thaw } of disks.values()) await thaw();
  });
  afterAll(async () => {
    await host.close();
    for (const { unmount } of disks.values()) await unmount();
  });

  function prepare(home: string): void {
    const owner = driver === 'libvirt' ? 65_534 : 0;
    mkdirSync(join(home, 'data'));
    chownSync(join(home, 'data'), owner, owner);
    for (const [part, { path }] of disks) {
      const there = join(path, 'files');
      // Only root may enter the parent directory.
      chmodSync(dirname(path), 0o711);
      mkdirSync(there, { mode: 0o700 });
      chownSync(there, owner, owner);
      mkdirSync(join(home, 'data', part, '..'), { recursive: true });
      symlinkSync(there, join(home, 'data', part));
    }
  }

  const starter = driver === 'qemu' ? 'qemu-system-x86_64' : 'virsh';
  const holdOfStart: Hold = [starter, driver === 'qemu' ? '-uuid' : 'start'];
  const holdOfProbe: Hold = [starter, driver === 'qemu' ? '--version' : 'version'];

  async function everything(): Promise<unknown> {
    const { api, poolDir, dataDir } = host.server;
    const list = (path: string): string[] => (existsSync(path) ? readdirSync(path).toSorted() : []);
    return {
      vms: (await api.vms()).items.map((vm) => vm.name),
      images: (await listImages(host.server)).map((image) => image.name),
      pool: list(poolDir).filter((file) => file !== '.wcc-pool'),
      seeds: list(join(dataDir, 'seeds')),
      machines: list(join(dataDir, 'machines', driver, 'machines')),
      inside: host.listDriverMachines(),
      reserved: (await api.pools()).items.map(({ reservedBytes }) => reservedBytes),
    };
  }
  async function inPhase(id: string, phase: string): Promise<void> {
    await until(
      async () => {
        const operation = await host.server.api.operation(id);
        if (hasEnded(operation)) throw new Error(`${operation.state}: ${JSON.stringify(operation.error)}`);
        return currentPhase(operation)?.name === phase;
      },
      { what: `${id} to be in the phase ${phase}`, everyMs: 5 },
    );
  }
  /** Cancels twice. The second cancel changes nothing, and is refused once the operation has ended. */
  async function cancel(id: string): Promise<void> {
    const { api } = host.server;
    expect((await api.cancel(id)).operation.state).toBe('cancelling');
    await api.cancel(id).catch((error: unknown) => expect(error).toMatchObject({ code: 'invalid_state' }));
  }
  async function expectOneEnd({ id, action }: Operation): Promise<void> {
    const { api } = host.server;
    const { items: log } = await api.operationLog(id);
    const said = log.filter(({ kind, text }) => kind === 'state' && /^(succ|fail|cancelled)/.test(text));
    expect(said.map(({ text }) => text)).toEqual(['cancelled']);
    const { items: audit } = await api.audit({ limit: 200 });
    const rows = audit.filter(({ subject }) => subject === `operation:${id}`);
    const done = rows.map(({ what, result }) => `${what} ${result}`);
    const once = [`${action} ok`, `${action}.end cancelled`, 'operation.cancel ok'];
    expect(done.toSorted()).toEqual(once.toSorted());
  }
  async function expectNothing(operation: Operation, before: unknown): Promise<void> {
    const ended = await waitForState(host.server, operation.id, { states: ['cancelled'] });
    // Released after the end, so that the release cannot cause the end.
    tools.release();
    expect(ended.error).toBeNull();
    expect(await everything()).toEqual(before);
    await expectOneEnd(operation);
  }

  const create = async (changes: object): Promise<Operation> =>
    (await host.server.api.createVm({ ...small, name: freshName(), disks: [], start: true, ...changes }))
      .operation;
  const quick = async (image: Image, changes: object = {}): Promise<Operation> =>
    (await host.server.api.quickCreateVm({ ...small, name: freshName(), image: image.id, ...changes }))
      .operation;
  const blank = { kind: 'blank' as const, sizeBytes: MiB, format: 'qcow2' as const };
  const copied = (image: Image) => ({ kind: 'copy' as const, image: image.id, method: 'copy' as const });

  const heldByProgram: { action: string; phase: string; hold: Hold; order: () => Promise<Operation> }[] = [
    {
      action: 'create_vm',
      phase: 'disk_1',
      hold: ['qemu-img', 'create'],
      order: () => create({ disks: [blank] }),
    },
    {
      action: 'create_vm',
      phase: 'disk_2',
      hold: ['qemu-img', 'create'],
      order: () => create({ disks: [copied(thin), blank] }),
    },
    {
      action: 'create_vm',
      phase: 'disk_1',
      hold: ['qemu-img', 'resize'],
      order: () => create({ disks: [{ ...copied(thin), sizeBytes: 41 * GiB }] }),
    },
    {
      action: 'create_vm',
      phase: 'start',
      hold: holdOfStart,
      order: () => create({ disks: [copied(thin), blank], firstBoot }),
    },
    {
      action: 'quick_create_vm',
      phase: 'disk_1',
      hold: ['qemu-img', 'create'],
      order: () => quick(thin),
    },
    { action: 'quick_create_vm', phase: 'start', hold: holdOfStart, order: () => quick(thin) },
    {
      action: 'create_vm',
      phase: 'define',
      hold: ['virsh', 'define'],
      order: () => create({ disks: [blank], firstBoot }),
    },
    { action: 'quick_create_vm', phase: 'define', hold: ['virsh', 'define'], order: () => quick(thin) },
  ];

  const held = ['qemu-img', starter];
  const share = driver === 'qemu' ? 0 : 1;
  it.each(
    everySecond(
      heldByProgram.filter(({ hold: [tool] }) => held.includes(tool)),
      share,
    ),
  )('cancel ends $action in phase $phase while $hold waits', async ({ phase, hold, order }) => {
    const before = await everything();
    tools.block(...hold);
    const operation = await order();
    const pid = await tools.waitForBlocked();
    await inPhase(operation.id, phase);
    await cancel(operation.id);
    await until(() => !existsSync(`/proc/${pid}`), { what: 'the held program to be killed' });
    await expectNothing(operation, before);
  });

  const definitions = 'machines/qemu/machines';
  const withDisk = (): Promise<Operation> => create({ disks: [blank], firstBoot });
  const heldByDisk: { action: string; phase: string; part: Frozen; order: () => Promise<Operation> }[] = [
    { action: 'create_vm', phase: 'seed', part: 'seeds', order: withDisk },
    { action: 'quick_create_vm', phase: 'seed', part: 'seeds', order: () => quick(thin) },
    { action: 'create_vm', phase: 'define', part: definitions, order: withDisk },
    { action: 'quick_create_vm', phase: 'define', part: definitions, order: () => quick(thin) },
  ];

  // A kernel call cannot be interrupted, but wcc answers the cancel at once and starts no later phase.
  it.each(
    everySecond(
      heldByDisk.filter(({ part }) => frozenParts.includes(part)),
      share,
    ),
  )('cancel ends $action in phase $phase on a frozen disk', async ({ phase, part, order }) => {
    const before = await everything();
    await disks.get(part)?.freeze();
    const operation = await order();
    await inPhase(operation.id, phase);
    await cancel(operation.id);
    expect((await host.server.api.operation(operation.id)).state).toBe('cancelling');
    await disks.get(part)?.thaw();
    await expectNothing(operation, before);
  });

  const heldByCopy = [
    ['create_vm', () => create({ disks: [copied(thin), copied(big)] }), 'disk_2'],
    ['quick_create_vm', () => quick(big, { full: true }), 'disk_1'],
  ] as const;
  it.each(everySecond(heldByCopy, share))(
    'cancel ends %s in the middle of a copy',
    async (_action, order, phase) => {
      const before = await everything();
      const operation = await order();
      const { api } = host.server;
      await until(
        async () => {
          const now = currentPhase(await api.operation(operation.id));
          return now?.name === phase && now.done > 0;
        },
        { what: 'bytes to be copied', everyMs: 5 },
      );
      await cancel(operation.id);
      await expectNothing(operation, before);
    },
  );

  const heldByProbe = [
    ['create_vm', () => create({ disks: [blank], firstBoot })],
    ['quick_create_vm', () => quick(thin)],
  ] as const;
  it.each(everySecond(heldByProbe, share))(
    'cancel ends %s during the host probe after a restart',
    async (_action, order) => {
      const before = await everything();
      tools.block('qemu-img', 'create');
      const operation = await order();
      const writer = await tools.waitForBlocked();
      await host.server.kill();
      process.kill(writer, 'SIGKILL');
      tools.block(...holdOfProbe);
      await host.server.start();
      // The record still shows the phase before the restart.
      await tools.waitForBlocked();
      await waitForState(host.server, operation.id, { states: ['running'] });
      await cancel(operation.id);
      await expectNothing(operation, before);
    },
  );

  it('a cancelled name is free for the next machine', async () => {
    const { id } = await quick(thin, { name: names[0] });
    const { result } = await waitForState(host.server, id, { states: ['succeeded'] });
    expect((await host.server.api.vm(Number(result?.id))).state).toBe('running');
    expect(host.listDriverMachines()).not.toEqual([]);
  });
}
