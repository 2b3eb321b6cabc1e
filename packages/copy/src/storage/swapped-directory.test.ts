import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { startCopy, support } from '@wcc/copy';
import * as receive from '@wcc/copy/receive';
import { readCheckpoint } from '@wcc/copy/recovery';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  expectEqualFiles,
  failureOf,
  hiddenFilesIn,
  mib,
  useDirectory,
  waitUntilTransferring,
  writeRandom,
} from '../testkit/files.testkit.ts';

const paths = support().available ? (['auto', 'off'] as const) : (['off'] as const);

describe('a partial that another program replaces in the middle', () => {
  const dir = useDirectory();
  const partialIn = (): string => join(dir(), '.wcc-taken.partial');

  it.each(['symlink', 'file'] as const)(
    'is not published if it is a %s now: the copy fails with destination_changed',
    async (kind) => {
      writeRandom(join(dir(), 'source'), 8 * mib);
      writeFileSync(join(dir(), 'other'), 'other');
      const options = { method: 'copy', bytesPerSecond: 16 * mib, id: 'taken' } as const;
      const job = startCopy(join(dir(), 'source'), join(dir(), 'copy'), options);
      await waitUntilTransferring(job);
      unlinkSync(partialIn());
      if (kind === 'symlink') symlinkSync(join(dir(), 'other'), partialIn());
      else writeFileSync(partialIn(), 'other');
      expect((await failureOf(job)).code).toBe('destination_changed');
      expect(readdirSync(dir()).toSorted()).toEqual(['other', 'source']);
      expect(readFileSync(join(dir(), 'other'), 'utf8')).toBe('other');
    },
  );

  it('is not published as the file that was received', async () => {
    const target = { directory: dir(), id: 'taken', targetName: 'file', sizeBytes: 5 };
    const file = await receive.create(target);
    await file.handle.write('mine!');
    await file.record(5);
    await file.close();
    writeFileSync(join(dir(), 'fresh'), 'other');
    renameSync(join(dir(), 'fresh'), partialIn());
    await expect(receive.publish(target)).rejects.toMatchObject({ code: 'destination_changed' });
    expect(readdirSync(dir())).not.toContain('file');
  });
});

/** As after a lazy unmount, or a mount over the directory: its path names another, empty directory. */
describe('D4: a directory that another one replaces in the middle', () => {
  const dir = useDirectory();
  let number = 0;
  let pool = '';
  let detached = '';
  beforeEach(() => {
    number += 1;
    pool = join(dir(), `pool-${number}`);
    detached = join(dir(), `detached-${number}`);
    mkdirSync(pool);
    writeRandom(join(dir(), 'source'), 24 * mib);
  });
  const swap = (): void => {
    renameSync(pool, detached);
    mkdirSync(pool);
  };

  it.each(paths)(
    'gets checkpoints and the published file of a copy, and the other one gets nothing, kernel calls %s',
    async (native) => {
      const job = startCopy(join(dir(), 'source'), join(pool, 'copy'), {
        native,
        method: 'copy',
        bytesPerSecond: 40 * mib,
        checkpoint: { intervalMs: 50 },
        keepSidecar: true,
        id: 'held',
      });
      await waitUntilTransferring(job);
      swap();
      await job.done;
      expect(readdirSync(pool)).toEqual([]);
      expect(readdirSync(detached).toSorted()).toEqual(['.wcc-held.json', 'copy']);
      expect(await readCheckpoint(detached, 'held')).toMatchObject({ phase: 'publishing' });
      expectEqualFiles(join(dir(), 'source'), join(detached, 'copy'));
    },
  );

  it.each(paths)(
    'keeps the partial of a suspended copy, which resumes there, kernel calls %s',
    async (native) => {
      const options = { native, method: 'copy', keepPartial: true, id: 'held' } as const;
      const job = startCopy(join(dir(), 'source'), join(pool, 'copy'), {
        ...options,
        bytesPerSecond: 40 * mib,
      });
      await waitUntilTransferring(job);
      swap();
      job.suspend();
      expect(await failureOf(job)).toMatchObject({ code: 'suspended', resumable: true });
      expect(readdirSync(pool)).toEqual([]);
      const { resumed } = await startCopy(join(dir(), 'source'), join(detached, 'copy'), options).done;
      expect(resumed).toBe(true);
      expectEqualFiles(join(dir(), 'source'), join(detached, 'copy'));
    },
  );

  it.each(paths)('loses the partial of a cancelled copy, kernel calls %s', async (native) => {
    const options = { native, method: 'copy', bytesPerSecond: 40 * mib } as const;
    const job = startCopy(join(dir(), 'source'), join(pool, 'copy'), options);
    await waitUntilTransferring(job);
    swap();
    job.cancel();
    expect((await failureOf(job)).code).toBe('cancelled');
    expect([readdirSync(pool), readdirSync(detached)]).toEqual([[], []]);
  });

  it('gets the checkpoints of a received file, and a publication by the path changes nothing', async () => {
    const target = { directory: pool, id: 'received', targetName: 'file', sizeBytes: 8 };
    const file = await receive.create(target);
    await file.handle.write(Buffer.alloc(8, 1));
    swap();
    await file.record(8);
    await file.close();
    await expect(receive.publish(target)).rejects.toMatchObject({ code: 'not_found' });
    expect(readdirSync(pool)).toEqual([]);
    expect((await readCheckpoint(detached, 'received'))?.offset).toBe('8');
    await receive.publish({ ...target, directory: detached });
    expect(readdirSync(detached)).toContain('file');
    expect(hiddenFilesIn(detached)).toEqual(['.wcc-received.json']);
  });
});
