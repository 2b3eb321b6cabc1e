import type { OperationState, Snapshot } from '@wcc/progress';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Hypervisor } from '../hypervisor.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import { admin, makePrincipal, MiB, startMachines } from '../machines.testkit.ts';
import type { MachinesUnderTest } from '../machines.testkit.ts';
import type { AutostartOptions } from './autostart.ts';
import { isSameBoot, readBoot } from './boot.ts';

let home: string;
let vms: MachinesUnderTest | null;
let boot = 'boot-1';
/** UUIDs of running machines. They outlive wcc, and end with the boot of the host. */
const on = new Set<string>();
/** Started machines, by UUID, with the time of their start. */
const starts: { uuid: string; atMs: number }[] = [];
const broken = new Set<string>();

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'wcc-autostart-'));
  boot = 'boot-1';
  vms = null;
  for (const all of [on, broken]) all.clear();
  starts.length = 0;
});
afterEach(async () => {
  on.clear();
  await vms?.close();
  await rm(home, { recursive: true, force: true });
});

/** The real definitions of the driver, with a power switch in memory: only the order of starts matters here. */
function withPower(driver: Hypervisor): Hypervisor {
  const read = async (uuid: string): ReturnType<Hypervisor['status']> => {
    const status = await driver.status(uuid);
    return status && { ...status, state: on.has(uuid) ? 'running' : 'shut_off' };
  };
  return {
    ...driver,
    probe: async () => ({
      driver: 'qemu',
      acceleration: 'tcg',
      version: '7.2',
      missing: null,
      hasUefi: false,
    }),
    status: read,
    list: async () =>
      (await Promise.all((await driver.list()).map(({ uuid }) => read(uuid)))).filter((one) => one !== null),
    async start(uuid) {
      if (broken.has(uuid)) throw new HypervisorError('start_failed', { detail: 'no such bridge' });
      starts.push({ uuid, atMs: performance.now() });
      on.add(uuid);
    },
    async powerOff(uuid) {
      on.delete(uuid);
    },
  };
}

async function startWcc(autostart: AutostartOptions = {}): Promise<MachinesUnderTest> {
  vms = await startMachines({
    home,
    pollMs: 100,
    wrapHypervisor: withPower,
    autostart: { readBoot: async () => boot, ...autostart },
  });
  return vms;
}

/** Restarts wcc. After a boot of the host no machine runs. */
async function restart(next: string, autostart?: AutostartOptions): Promise<MachinesUnderTest> {
  await vms?.stop();
  if (next !== boot) on.clear();
  boot = next;
  return startWcc(autostart);
}

async function createVm(
  name: string,
  change: { order?: number; delaySeconds?: number } | null,
): Promise<string> {
  if (vms === null) throw new Error('wcc does not run');
  await vms.create({ name, memoryBytes: 16 * MiB }, makePrincipal('ann'));
  const { id, uuid } = await vms.vm(name);
  if (change !== null) await vms.machines.change(admin, id ?? 0, { autostart: { enabled: true, ...change } });
  return uuid;
}

async function startsOf({ operations }: MachinesUnderTest): Promise<Snapshot[]> {
  const { items } = await operations.list({ action: 'start_vm', limit: 50 }, admin);
  return items;
}

async function waitForStarts(count: number, state: OperationState): Promise<Snapshot[]> {
  const running = vms;
  if (running === null) throw new Error('wcc does not run');
  await expect
    .poll(async () => (await startsOf(running)).filter((one) => one.state === state).length)
    .toBe(count);
  return startsOf(running);
}

describe('autostart', () => {
  it('starts machines in their order after a boot of the host, each after its delay, and no other machine', async () => {
    await startWcc();
    const late = await createVm('late', { order: 7, delaySeconds: 1 });
    const first = await createVm('first', { order: 1 });
    await createVm('by-hand', null);
    const second = await createVm('second', { order: 7 });
    expect(starts).toEqual([]);
    await restart('boot-2');
    const ended = await waitForStarts(3, 'succeeded');
    expect(starts.map(({ uuid }) => uuid)).toEqual([first, late, second]);
    const [begun = 0, delayed = 0] = starts.map(({ atMs }) => atMs);
    expect(delayed - begun).toBeGreaterThan(950);
    expect(ended[0]).toMatchObject({ ownerName: 'ann', result: { kind: 'vm' } });
    expect(await vms?.vm('first')).toMatchObject({
      autostart: { enabled: true, order: 1, delaySeconds: 0 },
      may: { autostart: true },
    });
  });

  it('leaves a machine off that its operator stopped when only wcc restarts, and starts it after the next boot', async () => {
    await startWcc();
    const uuid = await createVm('one', {});
    await restart('boot-2');
    await waitForStarts(1, 'succeeded');
    await vms?.machines.control(admin, (await vms.vm('one')).id ?? 0, 'power-off');
    const same = await restart('boot-2');
    expect(await startsOf(same)).toHaveLength(1);
    expect(on.has(uuid)).toBe(false);
    await restart('boot-3');
    await waitForStarts(2, 'succeeded');
    expect(on.has(uuid)).toBe(true);
  });

  it('records a failed start with its reason, starts the next machine, and can retry', async () => {
    await startWcc();
    const bad = await createVm('bad', { order: 1 });
    const good = await createVm('good', { order: 2 });
    broken.add(bad);
    const running = await restart('boot-2');
    const [failed] = (await waitForStarts(1, 'failed')).filter(({ state }) => state === 'failed');
    expect(failed?.error).toMatchObject({ code: 'hypervisor_failed' });
    expect(failed?.error?.message).toContain('no such bridge');
    await waitForStarts(1, 'succeeded');
    expect(starts.map(({ uuid }) => uuid)).toEqual([good]);
    broken.clear();
    const retry = await running.operations.retry(failed?.id ?? '', admin, null);
    await running.wait(retry.id, 'succeeded');
    expect(on.has(bad)).toBe(true);
  });

  it('waits for a pool that is mounted late, and fails with the reason when it does not come', async () => {
    const first = await startWcc();
    await createVm('one', {});
    await createVm('two', {});
    const away = join(home, 'away');
    const unmount = async (): Promise<void> => {
      await vms?.stop();
      await rename(first.poolDir, away);
    };
    await unmount();
    await restart('boot-2');
    expect((await startsOf(vms as unknown as MachinesUnderTest)).map(({ state }) => state)).toEqual([
      'queued',
      'queued',
    ]);
    await rm(first.poolDir, { recursive: true });
    await rename(away, first.poolDir);
    await waitForStarts(2, 'succeeded');
    await unmount();
    starts.length = 0;
    await restart('boot-3', { poolWaitMs: 300 });
    const failed = await waitForStarts(2, 'failed');
    expect(failed[0]?.error).toMatchObject({ code: 'pool_unavailable' });
    expect(failed[0]?.error?.message).toContain('.wcc-pool');
    expect(starts).toEqual([]);
    await rm(first.poolDir, { recursive: true });
    await rename(away, first.poolDir);
  });

  it('resumes waiting starts after a restart of wcc, once each, and a cancelled one frees the next', async () => {
    await startWcc();
    await createVm('slow', { order: 1, delaySeconds: 3600 });
    const next = await createVm('next', { order: 2 });
    await restart('boot-2');
    await waitForStarts(2, 'running');
    const again = await restart('boot-2');
    const waiting = await waitForStarts(2, 'running');
    expect(starts).toEqual([]);
    const slow = waiting.find(({ subject }) => subject.name === 'slow');
    await again.operations.cancel(slow?.id ?? '', admin);
    await waitForStarts(1, 'succeeded');
    expect(starts.map(({ uuid }) => uuid)).toEqual([next]);
  });

  it('changes only the named fields, also while the machine runs', async () => {
    const running = await startWcc();
    const uuid = await createVm('one', { order: 3, delaySeconds: 9 });
    on.add(uuid);
    const { id } = await running.vm('one');
    const changed = await running.machines.change(admin, id ?? 0, { autostart: { enabled: false } });
    expect(changed.autostart).toEqual({ enabled: false, order: 3, delaySeconds: 9 });
    await expect(
      running.machines.change(admin, id ?? 0, { cpus: 2, autostart: { enabled: true } }),
    ).rejects.toMatchObject({ code: 'vm_running' });
    expect((await running.vm('one')).autostart?.enabled).toBe(false);
    const rows = await running.store.db
      .selectFrom('audit')
      .select('what')
      .where('what', '=', 'vm.change')
      .execute();
    expect(rows).toHaveLength(2);
  });
});

describe('a boot', () => {
  it('is the same by the id of the kernel and by the start of process 1, where both are known', async () => {
    expect(isSameBoot('a 5', 'a 5')).toBe(true);
    expect(isSameBoot('a 5', 'a 6')).toBe(false);
    expect(isSameBoot('a', 'a 6')).toBe(true);
    expect(isSameBoot('a 5', 'b 5')).toBe(false);
    const boots = [await readBoot(), await readBoot()];
    expect(boots[0]).toMatch(/^[0-9a-f-]{36} \d+$/);
    expect(boots[0]).toBe(boots[1]);
  });
});
