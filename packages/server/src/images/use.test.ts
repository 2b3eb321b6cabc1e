import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageId } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { admin, startDomain } from './images.testkit.ts';
import type { DomainUnderTest } from './images.testkit.ts';
import { whileUsable } from './use.ts';

vi.setConfig({ testTimeout: 120_000 });
/** Each round tries another delay between the two requests. */
const rounds = Number(process.env['WCC_RACE_ROUNDS'] ?? 20);

let domain: DomainUnderTest;
beforeEach(async () => {
  domain = await startDomain({ maxRunningPerPool: 8 });
});
afterEach(() => domain.close());

async function addImage(name: string): Promise<ImageId> {
  await writeFile(join(domain.poolDir, name), name.padEnd(262_144, 'x'));
  await domain.rescan();
  return (await domain.image(name)).id;
}

const remove = (id: ImageId): Promise<Snapshot> => domain.images.remove(admin, { id, idempotencyKey: null });

/** Runs both, the second one a little later. */
async function race(
  [first, second]: readonly [() => Promise<unknown>, () => Promise<unknown>],
  delayMs: number,
): Promise<{ results: unknown[]; codes: unknown[] }> {
  const settled = await Promise.allSettled([first(), sleep(delayMs).then(second)]);
  const refused = settled.filter((result) => result.status === 'rejected');
  return {
    results: settled.map((result) => (result.status === 'fulfilled' ? result.value : undefined)),
    codes: refused.map(({ reason }) => (reason as { code?: string }).code),
  };
}

describe('D6: the use of an image and its deletion', () => {
  it('a copy and the deletion of its source are never both accepted', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const id = await addImage(`copy${round}.raw`);
      // Slow, so that the copy is still running when the deletion is requested.
      const copy = (): Promise<Snapshot> =>
        domain.copy(`copy${round}.raw`, `of-copy${round}.raw`, { method: 'copy', bytesPerSecond: 65_536 });
      const { results, codes } = await race([copy, () => remove(id)], round % 20);
      expect([round, codes.length]).toEqual([round, 1]);
      expect(['image_in_use', 'image_unavailable', 'not_found', 'source_vanished']).toContain(codes[0]);
      if (results[0] !== undefined) await domain.operations.cancel((results[0] as Snapshot).id, admin);
    }
  });

  it.each(['convert', 'verify'] as const)(
    'a %s is not accepted once the deletion of its source is',
    async (verb) => {
      for (let round = 0; round < rounds; round += 1) {
        const id = await addImage(`${verb}${round}.raw`);
        const request = { idempotencyKey: null };
        const convert = { name: `of-${verb}${round}.qcow2`, format: 'qcow2', compress: false } as const;
        const use = (): Promise<Snapshot> =>
          verb === 'verify'
            ? domain.images.verify(admin, { ...request, id, body: {} })
            : domain.images.convert(admin, { ...request, id, body: convert });
        const { results, codes } = await race([use, () => remove(id)], round % 20);
        // Both are accepted only if the use had ended before the deletion.
        const [used] = results as (Snapshot | undefined)[];
        if (codes.length === 0) await domain.wait(used?.id ?? '', 'succeeded');
        else expect(codes).toHaveLength(1);
      }
    },
  );

  it('an image whose deletion was accepted, or that is missing, is not usable', async () => {
    const [kept, doomed] = [await addImage('kept.raw'), await addImage('doomed.raw')];
    const { context } = domain.images;
    expect(await whileUsable(context, [kept, doomed], () => Promise.resolve('used'))).toBe('used');
    context.references.addDeletions(() => Promise.resolve([doomed]));
    for (const ids of [[doomed], [kept, doomed], [kept, 9999]]) {
      const used = whileUsable(context, ids, () => Promise.resolve('used'));
      await expect(used).rejects.toMatchObject({ code: 'image_unavailable', status: 409 });
    }
    // Two callers that name the same images in another order do not wait for each other for ever.
    const both = [[kept, kept], [kept]].map((ids) => whileUsable(context, ids, () => sleep(5)));
    await Promise.all(both);
  });
});

describe('D7: the mark of a template and its deletion', () => {
  it('a mark that was confirmed and a deletion are never both accepted', async () => {
    for (let round = 0; round < rounds * 2; round += 1) {
      const id = await addImage(`template${round}.raw`);
      const mark = (): Promise<unknown> => domain.images.change(admin, id, { template: true });
      const removal = (): Promise<unknown> => remove(id);
      const { codes } = await race(round % 2 === 0 ? [mark, removal] : [removal, mark], (round % 10) / 2);
      expect([round, codes.length]).toEqual([round, 1]);
      expect(['image_protected', 'image_unavailable', 'not_found']).toContain(codes[0]);
    }
  });
});
