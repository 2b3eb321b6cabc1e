import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Hypervisor } from '../hypervisor.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import { waitUntil } from '../hypervisor/wait.testkit.ts';
import { admin, MiB, startMachines, writeBootable, writeRandom } from '../machines.testkit.ts';
import type { MachinesUnderTest } from '../machines.testkit.ts';

let vms: MachinesUnderTest;
afterEach(async () => {
  await vms.close();
});

type Call = 'define' | 'start' | 'status';

/** The real driver, which calls `act` before each call of one method. */
function before(call: Call, act: () => Promise<void>): (hypervisor: Hypervisor) => Hypervisor {
  return (hypervisor) =>
    new Proxy(hypervisor, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name !== call || typeof value !== 'function') return value;
        return async (...args: unknown[]): Promise<unknown> => {
          await act();
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
}

/** Blocks a call until `open`; `reached` resolves when a call waits. */
function createGate(): { reached: Promise<void>; pass: () => Promise<void>; open: () => void } {
  let onReached = (): void => {};
  let open = (): void => {};
  const reached = new Promise<void>((resolve) => (onReached = resolve));
  const opened = new Promise<void>((resolve) => (open = resolve));
  return {
    reached,
    open,
    pass: () => {
      onReached();
      return opened;
    },
  };
}

async function template(): Promise<number> {
  await writeBootable(join(vms.poolDir, 'template.raw'));
  await vms.rescan();
  return (await vms.image('template.raw')).id;
}

const firstBoot = { user: 'me', sshKeys: [], passwordHash: '$6$salt$hash' };

describe('cancel of create_vm', () => {
  it.each(['define', 'start'] as const)(
    'create_vm cancelled during %s leaves no files and no rows',
    async (call) => {
      const gate = createGate();
      vms = await startMachines({ wrapHypervisor: before(call, gate.pass) });
      const image = await template();
      const { id } = await vms.request({ disks: [{ kind: 'copy', image }], firstBoot, start: true });
      await gate.reached;
      expect((await vms.traces()).length).toBeGreaterThan(4);
      expect((await vms.operations.cancel(id, admin)).state).toBe('cancelling');
      gate.open();
      await vms.wait(id, 'cancelled');
      expect(await vms.traces()).toEqual([]);
      expect(await vms.hypervisor.list()).toEqual([]);
      expect((await vms.rescan()).added).toBe(0);
    },
  );

  it('create_vm cancelled during or just after a copy leaves nothing or a complete machine', async () => {
    vms = await startMachines();
    await writeRandom(join(vms.poolDir, 'big.raw'), 128 * MiB);
    await vms.rescan();
    const { id: image } = await vms.image('big.raw');
    const { id } = await vms.request({ disks: [{ kind: 'copy', image, method: 'copy' }] });
    await waitUntil('the copy to run', async () => {
      const snapshot = await vms.operations.snapshot(id);
      return snapshot?.phases[snapshot.phaseIndex]?.name !== 'check';
    });
    await vms.operations.cancel(id, admin).catch(() => {});
    const { state } = await vms.wait(id, 'cancelled', 'succeeded');
    if (state === 'cancelled') expect(await vms.traces()).toEqual([]);
    else expect(await vms.vm('small')).toMatchObject({ state: 'shut_off' });
  });

  it('create_vm cancelled in the queue leaves nothing and frees the name', async () => {
    const gate = createGate();
    vms = await startMachines({ maxRunningPerPool: 1, wrapHypervisor: before('define', gate.pass) });
    const image = await template();
    const disks = [{ kind: 'copy' as const, image }];
    const first = await vms.request({ name: 'first', disks });
    const second = await vms.request({ name: 'second', disks });
    await gate.reached;
    await vms.operations.cancel(second.id, admin);
    await vms.wait(second.id, 'cancelled');
    gate.open();
    await vms.wait(first.id, 'succeeded');
    expect((await vms.machines.list(admin)).items.map(({ name }) => name)).toEqual(['first']);
    await vms.create({ name: 'second' });
  });
});

describe('quick_create_vm', () => {
  it('quick_create_vm does not wait for a running copy', async () => {
    const gate = createGate();
    let isFirst = true;
    const blockFirst = async (): Promise<void> => {
      if (!isFirst) return;
      isFirst = false;
      await gate.pass();
    };
    vms = await startMachines({ maxRunningPerPool: 1, wrapHypervisor: before('define', blockFirst) });
    const image = await template();
    const slow = await vms.request({ name: 'slow', disks: [{ kind: 'copy', image }] });
    await gate.reached;
    await vms.quickCreate({ image, name: 'thin', memoryBytes: 32 * MiB, start: false });
    expect((await vms.operations.snapshot(slow.id))?.state).toBe('running');
    gate.open();
    await vms.wait(slow.id, 'succeeded');
  });
});

describe('failed create_vm', () => {
  it.each(['define', 'start'] as const)(
    'create_vm that fails in %s leaves nothing and reports the reason',
    async (call) => {
      const detail = 'no such machine type\nsecond line';
      const refuse = (): Promise<void> => Promise.reject(new HypervisorError('start_failed', { detail }));
      vms = await startMachines({ wrapHypervisor: before(call, refuse) });
      const image = await template();
      const { id } = await vms.request({ disks: [{ kind: 'copy', image }], firstBoot, start: true });
      const { error } = await vms.wait(id, 'failed');
      expect(error).toMatchObject({ code: 'hypervisor_failed', detail });
      expect(error?.message).toBe('The machine did not start. no such machine type second line');
      expect(await vms.traces()).toEqual([]);
      await expect(vms.operations.retry(id, admin, null)).rejects.toMatchObject({ code: 'secret_gone' });
    },
  );

  it.each([
    ['', false],
    ['D21: that is gone from the history ', true],
  ] as const)(
    '%sa failed create_vm keeps its name reserved until a sweep removes its files',
    async (_title, isPurged) => {
      let isBroken = false;
      const breaks = async (): Promise<void> => {
        if (isBroken) throw new HypervisorError('unavailable');
      };
      vms = await startMachines({
        wrapHypervisor: (hypervisor) =>
          before(
            'status',
            breaks,
          )(
            before('start', async () => {
              isBroken = true;
              await breaks();
            })(hypervisor),
          ),
      });
      const image = await template();
      const request = { disks: [{ kind: 'copy' as const, image }], start: true };
      const { id } = await vms.request(request);
      await vms.wait(id, 'failed');
      expect((await vms.machines.list(admin)).items).toEqual([]);
      expect((await vms.rescan()).added).toBe(0);
      await expect(vms.request(request)).rejects.toMatchObject({ code: 'vm_name_taken' });
      const { db } = vms.store;
      if (isPurged) await vms.store.write([{ query: db.deleteFrom('operations').where('id', '=', id) }]);
      isBroken = false;
      await vms.machines.start();
      expect(await vms.traces()).toEqual([]);
      expect((await vms.rescan()).added).toBe(0);
      expect(vms.errors.length).toBeGreaterThan(0);
    },
  );
});

describe('stop of the server', () => {
  it('create_vm resumes after a restart of the server, and the machine boots', async () => {
    const gate = createGate();
    vms = await startMachines({ wrapHypervisor: before('define', gate.pass) });
    const image = await template();
    const { id } = await vms.request({ disks: [{ kind: 'copy', image }], firstBoot, start: true });
    await gate.reached;
    const stopping = vms.stop();
    gate.open();
    await stopping;
    vms = await startMachines({ home: vms.home });
    const { phases } = await vms.wait(id, 'succeeded');
    expect(phases.every(({ state }) => state === 'done')).toBe(true);
    expect(await vms.vm('small')).toMatchObject({ state: 'running' });
    expect(vms.errors).toEqual([]);
  });

  it('a stop of the server leaves machines running, and the next process finds them', async () => {
    vms = await startMachines();
    const image = await template();
    await vms.create({ name: 'runs', disks: [{ kind: 'copy', image }], start: true });
    await vms.stop();
    vms = await startMachines({ home: vms.home });
    expect(await vms.vm('runs')).toMatchObject({ state: 'running', id: 100 });
  });
});
