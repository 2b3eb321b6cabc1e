import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import type { Hypervisor } from '../hypervisor.ts';
import { admin, MiB, startMachines } from '../machines.testkit.ts';
import type { MachinesUnderTest } from '../machines.testkit.ts';

/** Simulates a crash while a disk is added: the next process finds the files of that moment. */
const run = promisify(execFile);
const open: MachinesUnderTest[] = [];
afterEach(async () => {
  for (const vms of open.splice(0)) await vms.close();
});

/** The real driver; its `define` first copies all files, as a power cut would leave them. */
function beforeDefine(act: () => Promise<void>): (hypervisor: Hypervisor) => Hypervisor {
  return (hypervisor) =>
    new Proxy(hypervisor, {
      get: (target, name) =>
        name === 'define'
          ? async (...args: Parameters<Hypervisor['define']>): Promise<void> => {
              await act();
              await target.define(...args);
            }
          : (Reflect.get(target, name) as unknown),
    });
}

const diskFiles = async ({ poolDir }: MachinesUnderTest): Promise<string[]> =>
  (await readdir(poolDir)).filter((name) => /disk|partial/.test(name));

it.each(['raw', 'qcow2'] as const)(
  'a crash of addDisk leaves a %s file that the next start removes, and no other',
  async (format) => {
    const later = join(await mkdtemp(join(tmpdir(), 'wcc-crash-')), 'home');
    let isCopying = false;
    const copyHome = async (): Promise<void> => {
      if (isCopying) await run('cp', ['-a', vms.home, later]);
    };
    const vms = await startMachines({ wrapHypervisor: beforeDefine(copyHome) });
    open.push(vms);
    await vms.create({ name: 'web', disks: [] });
    const { id } = await vms.vm('web');
    isCopying = true;
    await vms.machines.addDisk(admin, id ?? 0, { kind: 'blank', sizeBytes: MiB, format });
    expect(await diskFiles(vms)).toEqual([`web-disk0.${format}`]);
    expect(await vms.traces()).toEqual(expect.not.arrayContaining([expect.stringContaining('name:')]));

    const after = await startMachines({ home: later });
    open.push(after);
    expect(await diskFiles(after)).toEqual([]);
    expect(await after.rescan()).toMatchObject({ added: 0, missing: 0 });
    expect((await after.vm('web')).disks).toEqual([]);
    const added = await after.machines.addDisk(admin, id ?? 0, { kind: 'blank', sizeBytes: 2 * MiB, format });
    expect(added.disks).toMatchObject([{ name: `web-disk0.${format}`, sizeBytes: 2 * MiB }]);
    expect(after.errors).toEqual([]);
    await rm(join(later, '..'), { recursive: true, force: true });
  },
);

it('a failed addDisk removes its own file and keeps a foreign one', async () => {
  let isBroken = false;
  const refuse = (): Promise<void> => (isBroken ? Promise.reject(new Error('broken')) : Promise.resolve());
  const vms = await startMachines({ wrapHypervisor: beforeDefine(refuse) });
  open.push(vms);
  await vms.create({ name: 'web', disks: [] });
  const { id } = await vms.vm('web');
  isBroken = true;
  const body = { kind: 'blank' as const, sizeBytes: MiB, format: 'qcow2' as const };
  await expect(vms.machines.addDisk(admin, id ?? 0, body)).rejects.toThrow('broken');
  expect(await diskFiles(vms)).toEqual([]);
  // A file of another program stays.
  await writeFile(join(vms.poolDir, 'web-disk0.qcow2'), 'foreign file');
  await expect(vms.machines.addDisk(admin, id ?? 0, body)).rejects.toThrow('broken');
  expect(await diskFiles(vms)).toEqual(['web-disk0.qcow2']);
  expect(await vms.traces()).toEqual(expect.not.arrayContaining([expect.stringContaining('name:')]));
});
