import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLookGate } from '../../images/pool/look-gate.ts';
import { makeBootSector } from '../../images/sample/boot-sector.ts';
import { waitUntil } from '../hypervisor/wait.testkit.ts';
import { createWriter } from '../hypervisor/guest.testkit.ts';
import { admin, MiB, startMachines } from '../machines.testkit.ts';
import type { MachinesUnderTest } from '../machines.testkit.ts';
import { pollIntervalMs } from './poll-interval.ts';

// Real machines run on a host that may be busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('skipped: a small file system needs a mount, which needs root');

const floorBytes = 20 * MiB;
let home: string;
let small: string;
let vms: MachinesUnderTest;

/** The machines of one installation, with their pool on a small file system. */
async function startWcc(): Promise<void> {
  vms = await startMachines({
    home: join(home, 'data'),
    poolDir: join(small, 'pool'),
    emergencyFloor: { bytes: floorBytes, fraction: 0 },
  });
}

beforeEach(async () => {
  if (!isRoot) return;
  home = await mkdtemp(join(tmpdir(), 'wcc-floor-'));
  small = join(home, 'small');
  await mkdir(small);
  await mkdir(join(home, 'data'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', small]);
  await startWcc();
});
afterEach(async () => {
  if (!isRoot) return;
  await vms.close();
  execFileSync('umount', [small]);
  await rm(home, { recursive: true, force: true });
});

/** A machine with a disk of 10 GiB that boots this sector. */
async function startGuest(name: string, sector: Buffer): Promise<number> {
  const file = await open(join(vms.poolDir, `${name}.raw`), 'w');
  await file.write(sector);
  await file.truncate(MiB);
  await file.close();
  await vms.rescan();
  const { id: image } = await vms.image(`${name}.raw`);
  await vms.quickCreate({ image, name, sizeBytes: 10 * 1024 * MiB, memoryBytes: 32 * MiB });
  return (await vms.vm(name)).id ?? 0;
}

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(small);
  return bavail * bsize;
}

async function waitForPause(name: string): Promise<void> {
  await waitUntil(`${name} to be paused by wcc`, async () => {
    const { state, stateReason } = await vms.vm(name);
    return state === 'paused' && stateReason?.code === 'emergency_floor';
  });
}

async function waitForState(name: string, state: string): Promise<void> {
  await waitUntil(`${name} to be ${state}`, async () => (await vms.vm(name)).state === state);
}

/** Leaves this space free. @returns the path of the file that takes the rest */
async function leaveFree(bytes: number): Promise<string> {
  const path = join(small, 'ballast');
  await writeFile(path, Buffer.alloc((await freeBytes()) - bytes, 1));
  return path;
}

describe.skipIf(!isRoot)('SH2: a guest that fills its disk', () => {
  it('SH2: a guest that writes for ever is paused while there is still free space', async () => {
    const id = await startGuest('writer', createWriter());
    await waitForPause('writer');
    expect(await freeBytes()).toBeGreaterThan(0);
    for (const verb of ['start', 'reset'] as const)
      await expect(vms.machines.control(admin, id, verb)).rejects.toMatchObject({ code: 'no_space' });
    expect((await vms.vm('writer')).stateReason?.code).toBe('emergency_floor');
  });

  it('SH2: it resumes by itself when there is room, also after a restart of wcc', async () => {
    const ballast = await leaveFree(60 * MiB);
    await startGuest('writer', createWriter());
    await waitForPause('writer');
    await vms.stop();
    await startWcc();
    expect((await vms.vm('writer')).stateReason?.code).toBe('emergency_floor');
    await rm(ballast);
    const before = await freeBytes();
    await waitUntil('the guest to write again', async () => (await freeBytes()) < before - 10 * MiB);
    await waitForPause('writer');
    const rows = await vms.store.db.selectFrom('audit').select('what').execute();
    expect(rows.map(({ what }) => what)).toContain('vm.emergency_resume');
  });

  it('SH2: a machine that is created to start waits for room, and starts when there is some', async () => {
    const ballast = await leaveFree(floorBytes - 3 * MiB);
    const { id } = await vms.request({ name: 'late', start: true });
    const reason = await vms.wait(id, 'paused').then(({ stateReason }) => stateReason);
    expect(reason).toMatchObject({ code: 'no_space' });
    await rm(ballast);
    await vms.wait(id, 'succeeded');
    expect(await vms.vm('late')).toMatchObject({ state: 'running' });
  });

  it('SH2: machines that a person has paused or powered off stay as they are', async () => {
    await startGuest('paused', makeBootSector());
    const off = await startGuest('off', makeBootSector());
    await startGuest('other', makeBootSector());
    await vms.hypervisor.pause((await vms.vm('paused')).uuid);
    const ballast = await leaveFree(floorBytes / 2);
    await waitForPause('other');
    await waitForPause('off');
    expect((await vms.machines.control(admin, off, 'power-off')).stateReason).toBeNull();
    await rm(ballast);
    await waitForState('other', 'running');
    expect(await vms.vm('paused')).toMatchObject({ state: 'paused', stateReason: null });
    expect(await vms.vm('off')).toMatchObject({ state: 'shut_off', stateReason: null });
  });
});

describe('D14: a disk that hangs', () => {
  it('D14: refuses a start at once, without another call to the disk', async () => {
    const host = await startMachines();
    let end = (): void => {};
    try {
      await host.create({ name: 'web' });
      const { id } = await host.vm('web');
      const gate = createLookGate({ deadlineMs: 1 });
      for (const pool of host.images.context.pools.all()) Object.assign(pool, { gate });
      const hanging = gate.run(() => new Promise<void>((resolve) => (end = resolve)));
      await expect(hanging).rejects.toMatchObject({ reason: 'not_responding' });
      await expect(host.machines.control(admin, id ?? 0, 'start')).rejects.toMatchObject({
        code: 'pool_unavailable',
        reason: 'not_responding',
      });
    } finally {
      end();
      await host.close();
    }
  });
});

describe('SH2: the interval of looks at the free space', () => {
  it('SH2: a guest that writes 500 MB/s never fills the default floor between two looks', () => {
    const floor = 256 * MiB;
    let free = 20 * 1024 * MiB;
    for (let looks = 0; free >= floor; looks += 1) {
      expect(looks).toBeLessThan(1000);
      free -= 500e6 * (pollIntervalMs({ freeBytes: free, floorBytes: floor }) / 1000);
    }
    expect(free).toBeGreaterThan(floor / 2);
  });

  it('SH2: a host with much free space looks every five seconds', () => {
    expect(pollIntervalMs({ freeBytes: 1e12, floorBytes: 256 * MiB })).toBe(5_000);
  });
});
