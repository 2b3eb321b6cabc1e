import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ImageId, VmId } from '@wcc/api';
import { quickCreateVmRequest } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { bootableIso } from '../seed/iso.testkit.ts';
import { admin, MiB, startMachines, writeBootable } from '../machines.testkit.ts';
import type { MachinesUnderTest } from '../machines.testkit.ts';

vi.setConfig({ testTimeout: 1_800_000 });
/** Each round tries another delay between the two requests. */
const rounds = Number(process.env['WCC_RACE_ROUNDS'] ?? 8);

let vms: MachinesUnderTest;
beforeAll(async () => {
  vms = await startMachines({ maxRunningPerPool: 8 });
});
afterAll(() => vms.close());

async function addImage(name: string): Promise<ImageId> {
  const path = join(vms.poolDir, name);
  await (name.endsWith('.iso') ? writeFile(path, bootableIso()) : writeBootable(path, MiB));
  await vms.rescan();
  return (await vms.image(name)).id;
}

/** Starts the use, and the deletion a little earlier or later. @returns what was accepted */
async function race<Use>(
  image: ImageId,
  use: () => Promise<Use>,
  round: number,
): Promise<{ used: Use | undefined; removal: Snapshot | undefined; codes: unknown[] }> {
  const delayMs = (round * 7) % 60;
  const removing = async (): Promise<Snapshot> => {
    await sleep(round % 3 === 0 ? 0 : delayMs);
    return vms.images.remove(admin, { id: image, idempotencyKey: null });
  };
  const using = async (): Promise<Use> => {
    if (round % 3 === 0) await sleep(delayMs / 4);
    return use();
  };
  const [used, removal] = await Promise.allSettled([using(), removing()]);
  const codes = [used, removal].flatMap((one) =>
    one.status === 'rejected' ? [(one.reason as { code?: string }).code] : [],
  );
  return {
    used: used.status === 'fulfilled' ? used.value : undefined,
    removal: removal.status === 'fulfilled' ? removal.value : undefined,
    codes,
  };
}

// The deletion takes the file for itself for a moment: `source_in_use`.
const refusals = ['image_in_use', 'image_unavailable', 'not_found', 'source_in_use', 'source_vanished'];

async function removeMachine(operation: Snapshot): Promise<void> {
  const id = Number(operation.subject.id) as VmId;
  const { id: removal } = await vms.machines.remove(admin, id, { disks: true });
  await vms.wait(removal, 'succeeded');
}

async function removeImage(id: ImageId): Promise<void> {
  const { id: removal } = await vms.images.remove(admin, { id, idempotencyKey: null });
  await vms.wait(removal, 'succeeded');
}

describe('D6: a machine and the deletion of its image', () => {
  const uses = {
    'create_vm with a disc': (image: ImageId, name: string) =>
      vms.request({ name, disks: [{ kind: 'cdrom', image }] }),
    'create_vm with a copied disk': (image: ImageId, name: string) =>
      vms.request({ name, disks: [{ kind: 'copy', image }] }),
    quick_create_vm: (image: ImageId, name: string) =>
      vms.machines.quickCreate({
        principal: admin,
        body: quickCreateVmRequest.parse({ image, name, cpus: 1, memoryBytes: 32 * MiB, start: false }),
        idempotencyKey: null,
      }),
  };

  it.each(Object.entries(uses))('%s are never both accepted', async (title, use) => {
    const accepted = { machine: 0, deletion: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const name = `${title.replaceAll(/[^a-z]/g, '-')}-${round}`;
      const image = await addImage(`${name}.${title.endsWith('disc') ? 'iso' : 'raw'}`);
      const { used, removal, codes } = await race(image, () => use(image, name), round);
      const outcome = [round, used === undefined ? '' : 'machine', removal === undefined ? '' : 'deletion'];
      if (used !== undefined) {
        const { state, error } = await vms.wait(used.id, 'succeeded', 'failed');
        expect([...outcome, state, error]).toEqual([...outcome, 'succeeded', null]);
        accepted.machine += 1;
      }
      // A copied disk no longer needs its source, so a deletion after the end of the copy is accepted.
      if (codes.length === 0) expect(title).toBe('create_vm with a copied disk');
      else expect([round, refusals, codes.length]).toEqual([round, expect.arrayContaining(codes), 1]);
      if (removal !== undefined) {
        await vms.wait(removal.id, 'succeeded');
        accepted.deletion += 1;
      }
      if (used !== undefined) await removeMachine(used);
      if (removal === undefined) await removeImage(image);
    }
    console.log(`${title}: ${JSON.stringify(accepted)} of ${rounds} rounds`);
  });

  it('an inserted disc and the deletion of its image are never both accepted', async () => {
    const machine = await vms.create({ name: 'drive' });
    const id = Number(machine.subject.id) as VmId;
    for (let round = 0; round < rounds; round += 1) {
      const image = await addImage(`disc-${round}.iso`);
      const insert = () => vms.machines.setCdrom(admin, id, { image });
      const { used, removal, codes } = await race(image, insert, round);
      expect([round, codes.length, refusals.includes(String(codes[0]))]).toEqual([round, 1, true]);
      if (removal !== undefined) await vms.wait(removal.id, 'succeeded');
      expect((await vms.vm('drive')).cdrom).toEqual(used === undefined ? null : expect.anything());
      await vms.machines.setCdrom(admin, id, { image: null });
      if (removal === undefined) await removeImage(image);
    }
  });
});
