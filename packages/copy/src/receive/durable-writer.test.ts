import { randomBytes } from 'node:crypto';
import { open, readFile, writeFile } from 'node:fs/promises';
import { CopyError } from '@wcc/copy';
import {
  createDurableWriter,
  create as createPartial,
  open as openPartial,
  partialPath,
  sidecarPath,
} from '@wcc/copy/receive';
import { readCheckpoint } from '@wcc/copy/recovery';
import type { DurableWriterOptions, PartialFile, ReceiveTarget } from '@wcc/copy/receive';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { kib, mib, useDirectory } from '../testkit/files.testkit.ts';

describe('durable writer', () => {
  const dir = useDirectory();
  const targetOf = (id: string, sizeBytes = 64 * mib): ReceiveTarget => ({
    directory: dir(),
    id,
    tag: null,
    targetName: `${id}.raw`,
    sizeBytes,
  });

  const receive = async (id: string): Promise<PartialFile> => {
    const file = await createPartial(targetOf(id));
    onTestFinished(() => file.close());
    return file;
  };

  const recordedBytes = async (id: string): Promise<number> =>
    Number((await readCheckpoint(dir(), id))?.offset ?? -1);

  it('reports an offset as durable only after fdatasync and sidecar', async () => {
    const file = await receive('order');
    const content = randomBytes(8 * mib);
    const steps: string[] = [];
    const datasync = vi.spyOn(file.handle, 'datasync');
    datasync.mockImplementation(async function sync(this: PartialFile['handle']) {
      await this.sync();
      steps.push('synced');
    });
    const record: PartialFile['record'] = async (offsetBytes) => {
      await file.record(offsetBytes);
      steps.push(`recorded ${offsetBytes}`);
      expect(writer.durableBytes).toBeLessThan(offsetBytes);
      const written = await readFile(partialPath(dir(), 'order'));
      expect(written.subarray(0, offsetBytes).equals(content.subarray(0, offsetBytes))).toBe(true);
    };
    const writer = createDurableWriter({
      file: { ...file, record },
      batchBytes: 128 * kib,
      atRiskBytes: mib,
    });
    for (let at = 0; at < content.length; at += 100_000) {
      writer.write(Buffer.from(content.subarray(at, at + 100_000)));
      await writer.ready();
    }
    await writer.flush();
    expect(writer).toMatchObject({ durableBytes: 8 * mib, writtenBytes: 8 * mib, takenBytes: 8 * mib });
    expect(await recordedBytes('order')).toBe(8 * mib);
    expect(steps.length).toBeGreaterThan(2);
    for (const [index, step] of steps.entries())
      expect(step).toMatch(index % 2 === 0 ? /synced/ : /recorded/);
  });

  it('never has more than atRiskBytes unsynced when the caller waits while it is full', async () => {
    const file = await receive('risk');
    const writer = createDurableWriter({ file, batchBytes: 64 * kib, atRiskBytes: 512 * kib });
    for (let chunks = 0; chunks < 64; chunks += 1) {
      writer.write(randomBytes(64 * kib));
      await writer.ready();
      expect(writer.takenBytes - writer.durableBytes).toBeLessThan(512 * kib);
    }
    await writer.flush();
  });

  it.each([
    ['half of atRiskBytes, as for an upload', { atRiskBytes: 256 * mib }, 128 * mib],
    ['syncBytes, as for an import', { atRiskBytes: 256 * mib, syncBytes: 16 * mib }, 16 * mib],
  ])('starts a sync at %s', async (_name, sizes, firstSyncBytes) => {
    const file = await receive(`half-${firstSyncBytes}`);
    const datasync = vi.spyOn(file.handle, 'datasync').mockResolvedValue(undefined);
    const writev = vi.spyOn(file.handle, 'writev');
    writev.mockImplementation((parts) => {
      const bytesWritten = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
      return Promise.resolve({ bytesWritten, buffers: parts });
    });
    const record = (): Promise<void> => Promise.resolve();
    const writer = createDurableWriter({ file: { ...file, record }, syncIntervalMs: 60_000, ...sizes });
    while (writer.takenBytes < firstSyncBytes - mib) {
      writer.write(Buffer.alloc(mib));
      await writer.drained();
    }
    expect(datasync).not.toHaveBeenCalled();
    writer.write(Buffer.alloc(mib));
    await writer.drained();
    expect(datasync).toHaveBeenCalledTimes(1);
    writer.close();
  });

  it('E: syncs while bytes arrive, and records the offset at half of atRiskBytes only', async () => {
    const file = await receive('apart');
    const datasync = vi.spyOn(file.handle, 'datasync');
    const recorded: number[] = [];
    const record: PartialFile['record'] = async (offsetBytes) => {
      await file.record(offsetBytes);
      recorded.push(offsetBytes);
    };
    const writer = createDurableWriter({
      file: { ...file, record },
      syncIntervalMs: 60_000,
      batchBytes: 64 * kib,
      syncBytes: 128 * kib,
      atRiskBytes: 2 * mib,
    });
    for (let chunks = 1; chunks <= 64; chunks += 1) {
      writer.write(randomBytes(64 * kib));
      await writer.ready();
      // Each sync ends before the next bytes arrive.
      await writer.drained();
      if (chunks % 2 === 0) await expect.poll(() => datasync.mock.results.length).toBe(chunks / 2);
      await Promise.all(datasync.mock.results.map(({ value }) => value as Promise<void>));
      expect(writer.takenBytes - writer.durableBytes).toBeLessThan(2 * mib);
    }
    await writer.flush();
    expect(datasync.mock.calls.length).toBeGreaterThanOrEqual(32);
    expect(recorded.length).toBeLessThanOrEqual(5);
    expect(recorded.at(-1)).toBe(4 * mib);
    expect(await recordedBytes('apart')).toBe(4 * mib);
    writer.close();
  });

  it('E: records the offset after syncIntervalMs, also while one sync follows another', async () => {
    const file = await receive('busy');
    const writer = createDurableWriter({ file, syncIntervalMs: 50, batchBytes: kib, syncBytes: kib });
    let isRunning = true;
    const writing = (async () => {
      while (isRunning) {
        writer.write(randomBytes(kib));
        await writer.drained();
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await expect.poll(() => writer.durableBytes).toBeGreaterThan(0);
    isRunning = false;
    await writing;
    await writer.flush();
    expect(await recordedBytes('busy')).toBe(writer.takenBytes);
    writer.close();
  });

  it('E: takes more bytes than atRiskBytes while they are held', async () => {
    const file = await receive('held-long');
    const writer = createDurableWriter({
      file,
      batchBytes: 64 * kib,
      syncBytes: 64 * kib,
      atRiskBytes: 256 * kib,
    });
    writer.hold(true);
    for (let chunks = 0; chunks < 32; chunks += 1) {
      writer.write(randomBytes(64 * kib));
      await writer.ready();
    }
    await writer.drained();
    expect([writer.durableBytes, await recordedBytes('held-long')]).toEqual([0, 0]);
    writer.hold(false);
    await writer.flush();
    expect(await recordedBytes('held-long')).toBe(2 * mib);
    writer.close();
  });

  it('makes a few bytes durable after syncIntervalMs without another call', async () => {
    const file = await receive('slow');
    const writer = createDurableWriter({ file, syncIntervalMs: 50 });
    writer.write(Buffer.from('a slow network'));
    expect(writer.durableBytes).toBe(0);
    await expect.poll(() => writer.durableBytes).toBe(14);
    expect(await recordedBytes('slow')).toBe(14);
    writer.close();
  });

  it('records no offset while held, and discards held bytes on rollBack', async () => {
    const file = await receive('held');
    const writer = createDurableWriter({ file });
    writer.write(Buffer.from('kept'));
    await writer.flush();
    writer.hold(true);
    writer.write(Buffer.from('rejected'));
    await writer.flush();
    expect(writer).toMatchObject({ durableBytes: 4, writtenBytes: 12 });
    expect(await recordedBytes('held')).toBe(4);
    expect(await writer.rollBack()).toBe(4);
    writer.hold(false);
    writer.write(Buffer.from(' again'));
    await writer.flush();
    expect(await readFile(partialPath(dir(), 'held'), 'utf8')).toBe('kept again');
    expect(await recordedBytes('held')).toBe(10);
    writer.close();
  });

  it('rejects with the original error of a failed sync, and syncs no further byte', async () => {
    const file = await receive('sync');
    const failure = Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'fdatasync' });
    const datasync = vi.spyOn(file.handle, 'datasync').mockRejectedValueOnce(failure);
    const writer = createDurableWriter({ file, syncIntervalMs: 20 });
    writer.write(Buffer.from('lost'));
    await expect.poll(() => writer.failure).toEqual({ error: failure });
    writer.write(Buffer.from('more'));
    await writer.ready();
    await expect(writer.flush()).rejects.toBe(failure);
    expect(datasync).toHaveBeenCalledTimes(1);
    expect(writer.durableBytes).toBe(0);
    expect(await recordedBytes('sync')).toBe(0);
    writer.close();
  });

  it('makes the bytes before a failed write durable, unless they are held', async () => {
    for (const isHeld of [false, true]) {
      const id = `write-${isHeld}`;
      const file = await receive(id);
      const writer = createDurableWriter({ file, batchBytes: 4 });
      writer.hold(isHeld);
      writer.write(Buffer.from('good'));
      await writer.drained();
      const failure = Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' });
      vi.spyOn(file.handle, 'writev').mockRejectedValueOnce(failure);
      writer.write(Buffer.from('lost'));
      await expect(writer.flush()).rejects.toBe(failure);
      expect(writer.durableBytes).toBe(isHeld ? 0 : 4);
      expect(await recordedBytes(id)).toBe(isHeld ? 0 : 4);
      writer.close();
    }
  });

  it('continues a reopened partial at its durable offset', async () => {
    const first = await createPartial(targetOf('again'));
    const before = createDurableWriter({ file: first });
    before.write(Buffer.from('durable'));
    await before.flush();
    before.close();
    await first.close();
    const tail = await open(partialPath(dir(), 'again'), 'a');
    await tail.write('not recorded');
    await tail.close();
    const file = await openPartial(targetOf('again'));
    onTestFinished(() => file.close());
    const writer = createDurableWriter({ file });
    expect(writer.takenBytes).toBe(7);
    writer.write(Buffer.from(' bytes'));
    await writer.flush();
    expect(await readFile(partialPath(dir(), 'again'), 'utf8')).toBe('durable bytes');
    writer.close();
  });

  it('refuses to reopen a partial with a sidecar of a newer version', async () => {
    await (await createPartial(targetOf('newer'))).close();
    const path = sidecarPath(dir(), 'newer');
    const checkpoint = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...checkpoint, version: 3 }));
    await expect(openPartial(targetOf('newer'))).rejects.toMatchObject({
      code: 'unsupported',
      detail: 'a newer version of @wcc/copy wrote the sidecar',
    });
    expect(await readFile(partialPath(dir(), 'newer'), 'utf8')).toBe('');
  });

  it('limits concurrent syncs with the given limit', async () => {
    const file = await receive('limit');
    let calls = 0;
    const limit: DurableWriterOptions['limit'] = (work) => ((calls += 1), work());
    const writer = createDurableWriter({ file, limit });
    writer.write(Buffer.from('limited'));
    await writer.flush();
    expect(calls).toBe(1);
    writer.close();
  });

  it.each([{ batchBytes: 0 }, { atRiskBytes: 0 }, { syncBytes: 0 }, { syncIntervalMs: Number.NaN }])(
    'rejects invalid options: %o',
    async (options) => {
      const file = await receive(`invalid-${Object.keys(options).join('')}`);
      expect(() => createDurableWriter({ file, ...options })).toThrow(CopyError);
    },
  );
});
