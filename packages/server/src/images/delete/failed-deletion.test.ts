import * as files from 'node:fs/promises';
import { mkdir, mkdtemp, readdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CopyError } from '@wcc/copy';
import * as receive from '@wcc/copy/receive';
import type { Snapshot } from '@wcc/progress';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { admin, MiB, sha256, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';
import { statEntry } from '../scan/stat-entry.ts';
import { undoRemoval } from './remove.ts';

vi.mock('@wcc/copy/receive', async (original) => {
  const actual = await original<typeof receive>();
  return {
    ...actual,
    syncDirectory: vi.fn<typeof receive.syncDirectory>(actual.syncDirectory),
    renameExclusively: vi.fn<typeof receive.renameExclusively>(actual.renameExclusively),
  };
});
vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof files>();
  return { ...actual, link: vi.fn<typeof files.link>(actual.link) };
});

describe('D3: a deletion that has failed', () => {
  let domain: DomainUnderTest;
  let digest: string;
  const path = (name: string): string => join(domain.poolDir, name);

  beforeEach(async () => {
    domain = await startDomain();
    await writeRandom(path('a.raw'), 4 * MiB);
    await domain.rescan();
    digest = await sha256(path('a.raw'));
  });
  afterEach(async () => {
    vi.mocked(receive.syncDirectory).mockReset();
    vi.mocked(receive.renameExclusively).mockReset();
    const actual = await vi.importActual<typeof receive>('@wcc/copy/receive');
    vi.mocked(receive.syncDirectory).mockImplementation(actual.syncDirectory);
    vi.mocked(receive.renameExclusively).mockImplementation(actual.renameExclusively);
    await domain.close();
  });

  /** A deletion whose second step fails, and whose undo fails as well. */
  async function failToDelete(): Promise<Snapshot> {
    const { id } = await domain.image('a.raw');
    const refusal = new CopyError('permission');
    vi.mocked(receive.syncDirectory).mockRejectedValueOnce(refusal);
    vi.mocked(receive.renameExclusively).mockImplementationOnce(() => {
      throw refusal;
    });
    const { id: operation } = await domain.images.remove(admin, { id, idempotencyKey: null });
    return domain.wait(operation, 'failed');
  }

  it('gives the image its name back at the next look, although its undo failed', async () => {
    const { id } = await failToDelete();
    expect(await readdir(domain.poolDir)).toContain(`.wcc-${id}.partial`);
    await domain.stop();
    domain = await startDomain({ home: domain.home });
    await domain.rescan();
    expect(await sha256(path('a.raw'))).toBe(digest);
    expect(await domain.image('a.raw')).toMatchObject({ id: 100, state: 'ready' });
    expect(await domain.litter()).toEqual([]);
  });

  it('keeps the image hidden while another file has its name, and shows it to an administrator', async () => {
    const { id } = await failToDelete();
    await writeFile(path('a.raw'), 'another file');
    await domain.stop();
    domain = await startDomain({ home: domain.home });
    await domain.rescan();
    expect(await sha256(path(`.wcc-${id}.partial`))).toBe(digest);
    const { items } = await domain.images.orphans(admin, domain.poolId());
    expect(items).toMatchObject([{ id, partialBytes: 4 * MiB }]);
    await unlink(path('a.raw'));
    await domain.stop();
    domain = await startDomain({ home: domain.home });
    expect(await sha256(path('a.raw'))).toBe(digest);
  });

  it('D2: has succeeded if the file is gone, whatever failed after its removal', async () => {
    const { id } = await domain.image('a.raw');
    const { syncDirectory } = await vi.importActual<typeof receive>('@wcc/copy/receive');
    vi.mocked(receive.syncDirectory)
      .mockImplementationOnce(syncDirectory)
      .mockRejectedValueOnce(new CopyError('io_error'));
    const { id: operation } = await domain.images.remove(admin, { id, idempotencyKey: null });
    const ended = await domain.wait(operation, 'succeeded');
    expect(ended.warnings).toEqual(['failed_after_publishing']);
    await expect(domain.image('a.raw')).rejects.toThrow('no image');
    expect(await domain.litter()).toEqual([]);
  });

  it('is interrupted, not completed, when its pool is gone', async () => {
    const { id } = await domain.image('a.raw');
    vi.mocked(receive.syncDirectory).mockImplementationOnce(async () => {
      await rename(domain.poolDir, join(domain.home, 'detached'));
      await mkdir(domain.poolDir);
      throw new CopyError('io_error');
    });
    const { id: operation } = await domain.images.remove(admin, { id, idempotencyKey: null });
    await domain.wait(operation, 'paused', 'interrupted');
    await domain.operations.cancel(operation, admin);
    expect(await readdir(domain.poolDir)).toEqual([]);
    await rm(domain.poolDir, { recursive: true });
    await rename(join(domain.home, 'detached'), domain.poolDir);
    await domain.rescan();
    await expect.poll(() => readdir(domain.poolDir), { timeout: 10_000 }).toContain('a.raw');
    expect(await sha256(path('a.raw'))).toBe(digest);
    await domain.wait(operation, 'cancelled');
  });
});

it('D3: the undo of a deletion works on a file system without hard links', async () => {
  const refusal = Object.assign(new Error('EPERM: link'), { code: 'EPERM' });
  vi.mocked(files.link).mockRejectedValue(refusal);
  const directory = await mkdtemp(join(tmpdir(), 'wcc-no-links-'));
  try {
    const hidden = join(directory, '.wcc-gone.partial');
    await writeFile(hidden, 'image');
    const { inode = '' } = (await statEntry(hidden, '')) ?? {};
    const request = { id: 100 as never };
    const input = { poolId: 'p', sourceId: 100 as never, sourceName: 'a.raw', request };
    await undoRemoval({ directory, id: 'gone', input: { ...input, file: { inode, sizeBytes: 5 } } });
    expect(await readdir(directory)).toEqual(['a.raw']);
  } finally {
    await rm(directory, { recursive: true });
  }
});
