import { execFile } from 'node:child_process';
import { cp, mkdtemp, open, readdir, rename, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { verifyImageRequest } from '@wcc/api';
import type { Vm } from '@wcc/api';
import { createOverlay } from './hypervisor/qemu-img.ts';
import { admin, makePrincipal, MiB, startMachines, writeBootable } from './machines.testkit.ts';
import type { MachinesUnderTest } from './machines.testkit.ts';

// Real machines run on a host that may be busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const run = promisify(execFile);
const qemuImg = (...args: string[]): Promise<unknown> => run('/usr/bin/qemu-img', args);
let vms: MachinesUnderTest;
const inPool = (name: string): string => join(vms.poolDir, name);
beforeEach(async () => {
  vms = await startMachines();
});
afterEach(() => vms.close());

async function makeThin(): Promise<{ image: number; id: number }> {
  await writeBootable(inPool('base.raw'));
  await vms.rescan();
  const image = (await vms.image('base.raw')).id;
  await vms.quickCreate({ image, name: 'thin', memoryBytes: 32 * MiB, start: false });
  return { image, id: (await vms.vm('thin')).id ?? 0 };
}

const start = (id: number): Promise<Vm> => vms.machines.control(admin, id, 'start');
const refused = expect.objectContaining({ code: 'base_changed' }) as Error;

async function writeInPlace(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.write('another content', MiB);
  await file.close();
}

it('V10d: a machine does not start on a base that was written to or replaced', async () => {
  const { image, id } = await makeThin();
  expect(await vms.image('base.raw')).toMatchObject({ baseChanged: false });
  await cp(inPool('base.raw'), inPool('.earlier'), { preserveTimestamps: true });
  await writeInPlace(inPool('base.raw'));
  const error = await start(id).catch((cause: unknown) => cause);
  expect(error).toMatchObject({
    code: 'base_changed',
    message: 'The image "base.raw" has changed since the disk was made on it.',
  });
  expect((error as { hint: string }).hint).toContain(`wcc image accept-base ${image}`);
  await vms.rescan();
  expect(await vms.image('base.raw')).toMatchObject({ baseChanged: true, state: 'ready' });
  await expect(vms.quickCreate({ image, name: 'next', memoryBytes: 32 * MiB })).rejects.toThrow(refused);

  await writeBootable(inPool('.other'), 8 * MiB);
  await rename(inPool('.other'), inPool('base.raw'));
  await expect(start(id)).rejects.toThrow(refused);
  await rm(inPool('base.raw'));
  await expect(start(id)).rejects.toThrow(refused);

  await rename(inPool('.earlier'), inPool('base.raw'));
  await vms.rescan();
  await expect(start(id)).rejects.toThrow(refused);
  const ann = makePrincipal('ann');
  await expect(vms.images.change(ann, image, { baseChanged: false })).rejects.toThrow(
    expect.objectContaining({ code: 'forbidden' }) as Error,
  );
  expect(await vms.images.change(admin, image, { baseChanged: false })).toMatchObject({ baseChanged: false });
  expect(await start(id)).toMatchObject({ state: 'running' });
  const orders = await vms.store.db.selectFrom('audit').select(['what', 'subject']).execute();
  expect(orders).toContainEqual({ what: 'image.accept_base', subject: `image:${image}` });
});

it('V10d: a digest that was known before proves that a base is the earlier one, and the last overlay forgets it', async () => {
  const { image, id } = await makeThin();
  const verify = async (): Promise<void> => {
    const request = { id: image, body: verifyImageRequest.parse({}), idempotencyKey: null };
    await vms.wait((await vms.images.verify(admin, request)).id, 'succeeded');
  };
  await verify();
  await cp(inPool('base.raw'), inPool('.copy'));
  await rename(inPool('.copy'), inPool('base.raw'));
  await vms.rescan();
  expect(await vms.image('base.raw')).toMatchObject({ baseChanged: true });
  await verify();
  expect(await vms.image('base.raw')).toMatchObject({ baseChanged: false });
  await writeInPlace(inPool('base.raw'));
  await vms.rescan();
  await verify();
  expect(await vms.image('base.raw')).toMatchObject({ baseChanged: true });

  await vms.wait((await vms.machines.remove(admin, id, { disks: true })).id, 'succeeded');
  expect(await vms.image('base.raw')).toMatchObject({ baseChanged: false, usedBy: [] });
  await vms.quickCreate({ image, name: 'next', memoryBytes: 32 * MiB, start: false });
});

it('a new mode or name of a base stops no machine', async () => {
  const { id } = await makeThin();
  await run('chmod', ['0640', inPool('base.raw')]);
  await vms.rescan();
  expect(await vms.image('base.raw')).toMatchObject({ baseChanged: false });
  expect(await start(id)).toMatchObject({ state: 'running' });
});

it('F26: no program opens what a changed header names', async () => {
  await run('mkfifo', [inPool('.fifo')]);
  const disks = [{ kind: 'blank' as const, sizeBytes: MiB, format: 'qcow2' as const }];
  await vms.create({ name: 'web', disks });
  const { id } = await vms.vm('web');
  await qemuImg('rebase', '-u', '-b', inPool('.fifo'), '-F', 'raw', inPool('web-disk0.qcow2'));
  const grown = vms.machines.growDisk(admin, id ?? 0, { index: 0, sizeBytes: 2 * MiB });
  await expect(grown).rejects.toThrow(expect.objectContaining({ code: 'hostile_image' }) as Error);

  await qemuImg('create', '-q', '-f', 'qcow2', inPool('.base'), '1M');
  await qemuImg('rebase', '-u', '-b', inPool('.fifo'), '-F', 'raw', inPool('.base'));
  await createOverlay(inPool('.thin'), { base: { path: inPool('.base'), format: 'qcow2' }, sizeBytes: MiB });

  await qemuImg('create', '-q', '-f', 'qcow2', inPool('.other'), '1M');
  await rename(inPool('.other'), inPool('web-disk0.qcow2'));
  const other = vms.machines.growDisk(admin, id ?? 0, { index: 0, sizeBytes: 2 * MiB });
  await expect(other).rejects.toThrow(expect.objectContaining({ code: 'image_unavailable' }) as Error);
});

it('a thin machine that was restored elsewhere is known, grows, starts on an accepted base, and is deleted whole', async () => {
  const { image, id } = await makeThin();
  await vms.stop();
  const restored = join(await mkdtemp(join(tmpdir(), 'wcc-restored-')), 'home');
  await run('cp', ['-a', vms.home, restored]);
  // Backups keep the time of a file, some in whole seconds only.
  await utimes(join(restored, 'pool', 'base.raw'), new Date(), new Date());
  const after = await startMachines({ home: restored });
  try {
    expect(await after.image('thin-disk0.qcow2')).toMatchObject({ state: 'ready', format: 'qcow2' });
    await expect(after.machines.control(admin, id, 'start')).rejects.toThrow(refused);
    await after.images.change(admin, image, { baseChanged: false });
    const grown = await after.machines.growDisk(admin, id, { index: 0, sizeBytes: 8 * MiB });
    expect(grown.disks).toMatchObject([{ sizeBytes: 8 * MiB }]);
    expect(await after.machines.control(admin, id, 'start')).toMatchObject({ state: 'running' });
    await after.wait((await after.machines.remove(admin, id, { disks: true })).id, 'succeeded');
    expect(await readdir(after.poolDir)).not.toContain('thin-disk0.qcow2');
    expect(after.errors).toEqual([]);
  } finally {
    await after.close();
    await rm(join(restored, '..'), { recursive: true, force: true });
  }
});
