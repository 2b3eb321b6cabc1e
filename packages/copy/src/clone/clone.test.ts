import { execFileSync } from 'node:child_process';
import { statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { canClone, startCopy, CopyError, freeSpace, support, preload } from '@wcc/copy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  expectEqualFiles,
  expectFailure,
  mib,
  hiddenFilesIn,
  useDirectory,
  writeRandom,
} from '../testkit/files.testkit.ts';
import { mountFresh, whyNoMounts } from '../testkit/mounts.testkit.ts';
import type { Mounted } from '../testkit/mounts.testkit.ts';
import { isSkipped } from '../testkit/skip.testkit.ts';

const paths = support().available ? (['auto', 'off'] as const) : (['off'] as const);

/** The extents of a file as the kernel reports them. Shared ones are marked. */
function physicalExtents(path: string): string {
  const listing = execFileSync('filefrag', ['-s', '-v', path], { encoding: 'utf8' });
  return listing.slice(listing.indexOf('\n')); // the first line holds the name
}

describe.each(['xfs', 'btrfs'] as const)('sharing blocks on %s', (type) => {
  if (isSkipped(whyNoMounts(type))) return;
  let mounted: Mounted | null = null;
  const at = (name: string): string => join(mounted?.directory ?? '', name);
  beforeAll(async () => {
    mounted = mountFresh(type, 512);
    writeRandom(at('source'), 64 * mib);
    await preload();
  });
  afterAll(() => mounted?.unmount());

  it.each(paths)(
    'method copy writes new blocks and reports them as written, kernel calls %s',
    async (native) => {
      const result = await startCopy(at('source'), at(`copied-${native}`), {
        method: 'copy',
        native,
      }).done;
      expect(result).toMatchObject({ method: 'read-write', bytes: { shared: 0, written: 64 * mib } });
      expect(physicalExtents(at(`copied-${native}`))).not.toContain('shared');
      expect((await freeSpace(at(''))).fsType).toBe(type);
    },
  );

  it.each(paths)('method auto shares blocks and reports them as shared, kernel calls %s', async (native) => {
    const job = startCopy(at('source'), at('shared'), { native });
    const result = await job.done;
    expect(result).toMatchObject({
      method: 'clone',
      bytes: { data: 64 * mib, shared: 64 * mib, written: 0 },
    });
    expect(job.facts()).toMatchObject({ method: 'clone', cloneRefused: null });
    expect(job.progress().sharedBytes).toBe(64 * mib);
    expectEqualFiles(at('source'), at('shared'));
    expect(physicalExtents(at('shared'))).toContain('shared');
    unlinkSync(at('shared'));
  });

  it.each(paths)('a clone needs no free space, kernel calls %s', async (native) => {
    const { freeBytes } = await freeSpace(at(''));
    const options = { minFreeBytes: freeBytes, native, method: 'clone' } as const;
    await startCopy(at('source'), at('no-space'), options).done;
    expect(statSync(at('no-space')).size).toBe(64 * mib);
    unlinkSync(at('no-space'));
  });

  it('verifies a clone against its source', async () => {
    const result = await startCopy(at('source'), at('verified'), { verify: true }).done;
    expect(result.phases.map(({ name }) => name)).toEqual([
      'inspect',
      'reserve',
      'clone',
      'flush',
      'verify',
      'publish',
    ]);
    unlinkSync(at('verified'));
  });

  it('canClone returns true and leaves no hidden file', async () => {
    expect(await canClone(at('source'), at(''))).toBe(true);
    expect(hiddenFilesIn(at(''))).toEqual([]);
  });
});

describe('where blocks cannot be shared', () => {
  const dir = useDirectory();

  it.each(paths)(
    'method clone fails with the reason, auto copies and reports the reason, kernel calls %s',
    async (native) => {
      writeRandom(join(dir(), 'source'), mib);
      if (await canClone(join(dir(), 'source'), dir())) {
        console.warn('skipped: the temporary directory can share blocks');
        return;
      }
      const paired = [join(dir(), 'source'), join(dir(), `copy-${native}`)] as const;
      const error = await expectFailure(
        startCopy(...paired, { method: 'clone', native }),
        'clone_unsupported',
      );
      expect(error.cause).toBeInstanceOf(Error);
      expect(hiddenFilesIn(dir())).toEqual([]);
      const job = startCopy(...paired, { native });
      await job.done;
      expect(job.facts().cloneRefused).toBe('file_system_unsupported');
    },
  );

  it('canClone rejects a device and a missing file', async () => {
    await expect(canClone('/dev/null', dir())).rejects.toBeInstanceOf(CopyError);
    await expect(canClone(join(dir(), 'missing'), dir())).rejects.toMatchObject({ code: 'not_found' });
  });
});
