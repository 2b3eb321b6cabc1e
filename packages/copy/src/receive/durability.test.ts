import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createDurability } from './durability.ts';
import type { PartialFile } from './partial-file.ts';

it('syncs one at a time, also when the timer and the end of a transfer wait for the same sync', async () => {
  let writtenBytes = 1;
  let [running, most] = [0, 0];
  const records: (() => void)[] = [];
  const file = {
    handle: {
      async datasync() {
        running += 1;
        most = Math.max(most, running);
        await turn();
        running -= 1;
      },
    },
    record: () => new Promise<void>((resolve) => void records.push(resolve)),
  } as unknown as PartialFile;
  const durability = createDurability({
    file,
    offsetBytes: 0,
    writtenBytes: () => writtenBytes,
    recordBytes: 1,
    limit: (work) => work(),
    onSynced: () => {},
  });
  void durability.start(1);
  await expect.poll(() => records.length).toBe(1);
  writtenBytes = 2;
  let isOver = false;
  const ends = Promise.all([durability.sync(), durability.startRecord()]).finally(() => (isOver = true));
  while (!isOver) {
    for (const end of records.splice(0)) end();
    await turn();
  }
  await ends;
  expect([most, durability.durableBytes]).toEqual([1, 2]);
});
