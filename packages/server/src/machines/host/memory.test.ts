import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Hypervisor } from '../hypervisor.ts';
import { waitUntil } from '../hypervisor/wait.testkit.ts';
import { admin, MiB, startMachines, writeBootable } from '../machines.testkit.ts';
import type { MachinesUnderTest } from '../machines.testkit.ts';
import { readHostMemory } from './memory.ts';
import type { HostMemory } from './memory.ts';

/** 200 for a long run. */
const rounds = Number(process.env['WCC_MEMORY_ROUNDS'] ?? 2);

// Real machines run on a host that may be busy.
vi.setConfig({ testTimeout: 180_000 + rounds * 60_000, hookTimeout: 180_000 });

let vms: MachinesUnderTest;
let image: number;
/** Replaces the memory of this host, which a test cannot take away. */
let hostMemory: HostMemory | null = null;
let holdDefine: Promise<void> = Promise.resolve();
let releaseDefine = (): void => {};
let isDefining = false;

/** The real driver, which waits for `holdDefine` before it defines a machine. */
function waitBeforeDefine(hypervisor: Hypervisor): Hypervisor {
  const define: Hypervisor['define'] = async (...args) => {
    isDefining = true;
    await holdDefine;
    await hypervisor.define(...args);
  };
  return { ...hypervisor, define };
}

beforeEach(async () => {
  hostMemory = null;
  holdDefine = Promise.resolve();
  isDefining = false;
  vms = await startMachines({
    wrapHypervisor: waitBeforeDefine,
    readHostMemory: async () => hostMemory ?? (await readHostMemory()),
  });
  await writeBootable(join(vms.poolDir, 'template.raw'));
  await vms.rescan();
  image = (await vms.image('template.raw')).id;
});
afterEach(async () => {
  await vms.close();
});

const names = ['one', 'two', 'three'];

/** Memory of a machine, so that this host has room for two of them and not for three. */
async function memoryForTwo(): Promise<number> {
  const { freeMemoryBytes } = await vms.machines.host(admin);
  return Math.floor((freeMemoryBytes * 0.45) / MiB) * MiB;
}

/** Makes the same request for all three machines at once. @returns the codes of the refusals */
async function refusalsOf(request: (name: string) => Promise<unknown>): Promise<unknown[]> {
  const results = await Promise.allSettled(names.map(request));
  return results.flatMap((result) =>
    result.status === 'rejected' ? [(result.reason as { code?: string }).code] : [],
  );
}

function expectRoomForTwo(refusals: readonly unknown[]): void {
  expect(new Set(refusals)).toEqual(new Set(['not_enough_memory']));
  // Another program of this host may take memory at the same time.
  expect(refusals.length).toBeLessThan(3);
}

async function powerOffAll(): Promise<void> {
  for (const { uuid } of await vms.hypervisor.list()) await vms.hypervisor.powerOff(uuid);
}

describe('V8: memory of machines that start at the same time', () => {
  it('V8: of three parallel starts on a host with room for two, one is refused', async () => {
    const ids: number[] = [];
    for (const name of names) {
      await vms.create({ name, disks: [{ kind: 'copy', image }] });
      ids.push((await vms.vm(name)).id ?? 0);
    }
    for (let round = 0; round < rounds; round += 1) {
      const memoryBytes = await memoryForTwo();
      for (const id of ids) await vms.machines.change(admin, id, { memoryBytes });
      const refusals = await refusalsOf((name) =>
        vms.machines.control(admin, ids[names.indexOf(name)] ?? 0, 'start'),
      );
      expectRoomForTwo(refusals);
      await powerOffAll();
    }
  });

  it('V8: of three parallel quick-creates on a host with room for two, one is refused', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const memoryBytes = await memoryForTwo();
      const refusals = await refusalsOf((name) => vms.quickCreate({ image, name, memoryBytes }));
      expectRoomForTwo(refusals);
      for (const { id } of (await vms.machines.list(admin)).items)
        await vms.wait((await vms.machines.remove(admin, id ?? 0, { disks: true })).id, 'succeeded');
    }
  });

  it('V8: starts and quick-creates take from the same memory', async () => {
    await vms.create({ name: 'one', disks: [{ kind: 'copy', image }] });
    const id = (await vms.vm('one')).id ?? 0;
    const memoryBytes = await memoryForTwo();
    await vms.machines.change(admin, id, { memoryBytes });
    const refusals = await refusalsOf((name) =>
      name === 'one'
        ? vms.machines.control(admin, id, 'start')
        : vms.quickCreate({ image, name, memoryBytes }),
    );
    expectRoomForTwo(refusals);
  });

  it('V8: an operation that has not started its machine yet keeps the memory for it', async () => {
    const memoryBytes = await memoryForTwo();
    const { freeMemoryBytes: before } = await vms.machines.host(admin);
    holdDefine = new Promise((resolve) => (releaseDefine = resolve));
    const { id } = await vms.request({
      name: 'one',
      memoryBytes,
      start: true,
      disks: [{ kind: 'copy', image }],
    });
    await waitUntil('the operation to define its machine', () => isDefining);
    const { freeMemoryBytes: afterwards } = await vms.machines.host(admin);
    releaseDefine();
    await vms.wait(id, 'succeeded');
    expect(before - afterwards).toBeGreaterThan(memoryBytes / 2);
  });

  it('V8: the phase start finds out that the promised memory is gone', async () => {
    holdDefine = new Promise((resolve) => (releaseDefine = resolve));
    const request = { name: 'one', start: true, disks: [{ kind: 'copy' as const, image }] };
    const { id } = await vms.request(request);
    await waitUntil('the operation to define its machine', () => isDefining);
    hostMemory = { totalBytes: 64 * MiB, freeBytes: MiB };
    releaseDefine();
    expect((await vms.wait(id, 'failed')).error?.code).toBe('not_enough_memory');
    expect(await vms.traces()).toEqual([]);
  });
});
