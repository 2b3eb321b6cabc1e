import { CopyError } from '@wcc/copy';
import type * as copy from '@wcc/copy';
import type * as receive from '@wcc/copy/receive';
import type * as recovery from '@wcc/copy/recovery';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { admin, MiB, sha256, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

/** Failures that the next calls have after their effect on the disk. */
const trouble = vi.hoisted(() => ({
  copy: null as Error | null,
  syncDirectory: null as Error | null,
  settle: null as Error | null,
}));

/** Runs between the publication and the end of a copy. */
const hook = vi.hoisted(() => ({ onPublished: null as (() => Promise<void>) | null }));

function takeTrouble(kind: keyof typeof trouble): void {
  const error = trouble[kind];
  trouble[kind] = null;
  if (error !== null) throw error;
}

vi.mock('@wcc/copy', async (importActual) => {
  const actual = await importActual<typeof copy>();
  const startCopy: typeof actual.startCopy = (...args) => {
    const job = actual.startCopy(...args);
    const done = job.done.then(async (result) => {
      await hook.onPublished?.();
      takeTrouble('copy');
      return result;
    });
    return Object.create(job, { done: { value: done } }) as copy.CopyJob;
  };
  return { ...actual, startCopy };
});
vi.mock('@wcc/copy/receive', async (importActual) => {
  const actual = await importActual<typeof receive>();
  const syncDirectory: typeof actual.syncDirectory = async (directory) => {
    takeTrouble('syncDirectory');
    await actual.syncDirectory(directory);
  };
  return { ...actual, syncDirectory };
});
vi.mock('@wcc/copy/recovery', async (importActual) => {
  const actual = await importActual<typeof recovery>();
  const settle: typeof actual.settle = async (...args) => {
    takeTrouble('settle');
    return await actual.settle(...args);
  };
  return { ...actual, settle };
});

let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);

beforeEach(async () => {
  Object.assign(trouble, { copy: null, syncDirectory: null, settle: null });
  hook.onPublished = null;
  domain = await startDomain();
  await writeRandom(path('a.raw'), 2 * MiB);
  await domain.rescan();
});
afterEach(async () => {
  await domain.close();
});

const failures = [
  new CopyError('io_error', { detail: 'fsync EIO', resumable: true }),
  new CopyError('no_space'),
  new CopyError('source_changed'),
  new Error('unexpected'),
];

describe('D2: an operation whose work fails after the publication', () => {
  it.each(failures)('a copy succeeds with a warning: %s', async (failure) => {
    trouble.copy = failure;
    const { id } = await domain.copy('a.raw', 'b.raw');
    const ended = await domain.wait(id, 'succeeded');
    expect(ended).toMatchObject({ warnings: ['failed_after_publishing'], error: null });
    expect(await domain.image('b.raw')).toMatchObject({ state: 'ready', copiedFrom: 100 });
    expect(await sha256(path('b.raw'))).toBe(await sha256(path('a.raw')));
    expect(await domain.litter()).toEqual([]);
    await domain.rescan();
    await expect(domain.copy('a.raw', 'b.raw')).rejects.toMatchObject({ code: 'exists' });
  });

  it('a copy succeeds when the cancel comes after its publication', async () => {
    let id = '';
    hook.onPublished = async () => void (await domain.operations.cancel(id, admin));
    trouble.copy = new CopyError('cancelled');
    ({ id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 8 * MiB }));
    expect((await domain.wait(id, 'succeeded')).warnings).toEqual(['cancel_too_late']);
    expect(await domain.image('b.raw')).toMatchObject({ state: 'ready', copiedFrom: 100 });
    expect(await domain.litter()).toEqual([]);
  });

  it('a copy waits for the next look at its pool when the disk does not answer', async () => {
    trouble.copy = new CopyError('source_changed');
    trouble.settle = Object.assign(new Error('EIO'), { code: 'EIO' });
    const { id } = await domain.copy('a.raw', 'b.raw');
    const waiting = await domain.wait(id, 'interrupted', 'succeeded');
    if (waiting.state === 'interrupted') expect(waiting.stateReason?.code).toBe('not_registered');
    await domain.rescan();
    await domain.wait(id, 'succeeded');
    expect(await domain.image('b.raw')).toMatchObject({ state: 'ready', copiedFrom: 100 });
    expect(await domain.litter()).toEqual([]);
  });

  it('a sample image that was published by a link succeeds with a warning', async () => {
    trouble.syncDirectory = Object.assign(new Error('EIO: fsync'), { code: 'EIO', errno: -5 });
    const { id } = await domain.images.makeSample(admin, {
      body: { name: 'sample.raw', sizeBytes: MiB },
      idempotencyKey: null,
    });
    const ended = await domain.wait(id, 'succeeded');
    expect(ended.warnings).toEqual(['failed_after_publishing']);
    expect(await domain.litter()).toEqual([]);
  });

  it('a copy that was not published fails, and leaves nothing', async () => {
    await writeRandom(path('taken.raw'), MiB);
    const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: MiB });
    await domain.wait(id, 'running');
    await writeRandom(path('b.raw'), MiB);
    const { error } = await domain.wait(id, 'failed');
    expect(error?.code).toBe('exists');
    expect(await domain.litter()).toEqual([]);
  });
});
