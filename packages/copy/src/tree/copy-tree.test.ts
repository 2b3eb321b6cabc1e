import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { copyTree, support } from '@wcc/copy';
import type { CopyTreeOptions, CopyTreeProgress } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { mib, useDirectory, writeRandom } from '../testkit/files.testkit.ts';
import { expectEqualTrees, expectNames, expectTreeFailure, makeTree } from '../testkit/tree.testkit.ts';

const natives = support().available ? (['auto', 'off'] as const) : (['off'] as const);
const isRoot = process.getuid?.() === 0;

describe.each(natives)('a tree copied with native: %s', (native) => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);
  const timeUnitNs = native === 'off' ? 1000n : 1n;

  it.each([1, 2])(
    'keeps content, modes, times, hard links, symlinks, holes and names, %d workers',
    async (concurrency) => {
      const source = at(`source-${concurrency}`);
      const copy = at(`copy-${concurrency}`);
      makeTree(source);
      const result = await copyTree(source, copy, { native, concurrency });
      expectEqualTrees(source, copy, { timeUnitNs });
      expect(statSync(join(copy, 'inner', 'hole')).blocks).toBe(0);
      expect(result).toMatchObject({
        files: 6,
        directories: 4,
        symlinks: 2,
        hardLinks: 1,
        bytes: 11 + 3 * mib + 17 + 6 + 5 + 8 * mib,
        skipped: [],
        failed: [],
        reusedFiles: 0,
        warnings: [],
      });
      expectNames(
        dir(),
        readdirSync(dir()).filter((name) => !name.startsWith('.wcc-')),
      );
    },
  );

  it('copies an empty directory', async () => {
    mkdirSync(at('empty'));
    chmodSync(at('empty'), 0o711);
    const result = await copyTree(at('empty'), at('empty-copy'), { native });
    expect(result).toMatchObject({ files: 0, directories: 1, bytes: 0 });
    expectEqualTrees(at('empty'), at('empty-copy'), { timeUnitNs });
  });

  it('copies a large file of the tree with the engine and keeps its times', async () => {
    mkdirSync(at('images'));
    writeRandom(at('images/disk.raw'), 65 * mib);
    execFileSync('touch', ['-d', '2010-01-02 03:04:05.000001', at('images/disk.raw')]);
    await copyTree(at('images'), at('images-copy'), { native });
    expectEqualTrees(at('images'), at('images-copy'), { timeUnitNs });
  });

  it('leaves out setuid and setgid bits unless the owner is kept', async () => {
    mkdirSync(at('bits'));
    writeFileSync(at('bits/tool'), 'x');
    chmodSync(at('bits/tool'), 0o6755);
    chmodSync(at('bits'), 0o3775);
    await copyTree(at('bits'), at('bits-copy'), { native });
    expect(statSync(at('bits-copy/tool')).mode & 0o7777).toBe(0o755);
    expect(statSync(at('bits-copy')).mode & 0o7777).toBe(0o1775);
    await copyTree(at('bits'), at('bits-kept'), { native, preserveOwner: true });
    expect(statSync(at('bits-kept/tool')).mode & 0o7777).toBe(0o6755);
    expect(statSync(at('bits-kept')).mode & 0o7777).toBe(0o3775);
  });

  it.skipIf(!isRoot)('keeps the owner with preserveOwner only', async () => {
    mkdirSync(at('owned'));
    writeFileSync(at('owned/file'), 'x');
    chownSync(at('owned/file'), 12_345, 12_346);
    await copyTree(at('owned'), at('owned-copy'), { native });
    expect(statSync(at('owned-copy/file'))).toMatchObject({ uid: 0, gid: 0 });
    await copyTree(at('owned'), at('owned-kept'), { native, preserveOwner: true });
    expect(statSync(at('owned-kept/file'))).toMatchObject({ uid: 12_345, gid: 12_346 });
  });

  it('lists sockets and FIFOs as skipped, or refuses them before anything is written', async () => {
    mkdirSync(at('pipes/inner'), { recursive: true });
    writeFileSync(at('pipes/file'), 'x');
    execFileSync('mkfifo', [at('pipes/inner/fifo')]);
    const result = await copyTree(at('pipes'), at('pipes-copy'), { native });
    expect(result).toMatchObject({
      skipped: [{ path: 'inner/fifo', kind: 'FIFO' }],
      skippedCount: 1,
      files: 1,
    });
    expectNames(at('pipes-copy/inner'), []);
    const paths = { source: at('pipes'), destination: at('pipes-none') };
    const error = await expectTreeFailure(paths, { native, special: 'fail' }, 'not_regular');
    expect(error.path).toBe(at('pipes/inner/fifo'));
    expect(readdirSync(dir()).filter((name) => name.startsWith('.wcc-') || name === 'pipes-none')).toEqual(
      [],
    );
  });

  it('copies, skips or refuses symlinks as asked, and follows none', async () => {
    mkdirSync(at('links'));
    symlinkSync('/etc', at('links/etc'));
    await copyTree(at('links'), at('links-copy'), { native });
    expectEqualTrees(at('links'), at('links-copy'), { timeUnitNs });
    const skipping = await copyTree(at('links'), at('links-skipped'), { native, symlinks: 'skip' });
    expect(skipping.skipped).toEqual([{ path: 'etc', kind: 'symlink' }]);
    expectNames(at('links-skipped'), []);
    const paths = { source: at('links'), destination: at('links-none') };
    await expectTreeFailure(paths, { native, symlinks: 'fail' }, 'not_regular');
  });
});

describe('progress of a tree', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);

  it('knows the totals before the first byte, and never decreases', async () => {
    mkdirSync(at('many'));
    for (let index = 0; index < 40; index += 1) writeRandom(at(`many/f${index}`), 2 * mib);
    const seen: CopyTreeProgress[] = [];
    await copyTree(at('many'), at('many-copy'), {
      method: 'copy',
      onProgress: (progress) => seen.push(progress),
    });
    const totals = seen
      .filter(({ phase }) => phase !== 'scan')
      .map(({ totalFiles, totalBytes }) => ({ totalFiles, totalBytes }));
    expect(totals.length).toBeGreaterThan(0);
    for (const total of totals) expect(total).toEqual({ totalFiles: 40, totalBytes: 80 * mib });
    const done = seen.map(({ doneBytes }) => doneBytes);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({ phase: 'publish', doneFiles: 40, doneBytes: 80 * mib });
    expect(seen.at(-1)?.path).toMatch(/^f\d+$/);
  });

  it('a cancelled copy leaves nothing behind, and its error has the reason of the abort', async () => {
    mkdirSync(at('long'));
    for (let index = 0; index < 60; index += 1) writeRandom(at(`long/f${index}`), 2 * mib);
    const reason = new Error('the user has left');
    const controller = new AbortController();
    const paths = { source: at('long'), destination: at('long-copy') };
    const onProgress = ({ phase }: CopyTreeProgress): void => {
      if (phase === 'copy') controller.abort(reason);
    };
    const watcher = setInterval(() => {
      if (readdirSync(dir()).some((name) => name.endsWith('.partial'))) controller.abort(reason);
    }, 1);
    const error = await expectTreeFailure(
      paths,
      { signal: controller.signal, onProgress, method: 'copy' },
      'cancelled',
    );
    clearInterval(watcher);
    expect(error.cause).toBe(reason);
    expect(readdirSync(dir()).filter((name) => name.startsWith('.wcc-') || name === 'long-copy')).toEqual([]);
    const aborted = { signal: AbortSignal.abort() };
    await expectTreeFailure(paths, aborted, 'cancelled');
  });
});

describe('what copyTree refuses', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);

  const refused: [string, CopyTreeOptions, string][] = [
    ['an unknown option', { overwite: true } as CopyTreeOptions, 'overwite'],
    ['a wrong value', { symlinks: 'follow' } as unknown as CopyTreeOptions, 'symlinks'],
    ['overwrite without merge', { overwrite: true }, 'merge'],
    ['an id with a slash', { id: '../x' }, 'id'],
    ['no worker at all', { concurrency: 0 }, 'concurrency'],
  ];
  it.each(refused)('rejects %s with invalid_option', async (_, options, word) => {
    const error = await expectTreeFailure({ source: dir(), destination: at('x') }, options, 'invalid_option');
    expect(error.message).toContain(word);
  });

  it('rejects a missing source, a file, and a symlink to a directory as source', async () => {
    writeFileSync(at('file'), 'x');
    mkdirSync(at('real'));
    symlinkSync('real', at('link'));
    await expectTreeFailure({ source: at('missing'), destination: at('x') }, {}, 'not_found');
    await expectTreeFailure({ source: at('file'), destination: at('x') }, {}, 'not_directory');
    await expectTreeFailure({ source: at('link'), destination: at('x') }, {}, 'not_directory');
    await expectTreeFailure({ source: at('real'), destination: at('no/such/place') }, {}, 'not_found');
  });

  it('rejects a destination that exists, whatever it is', async () => {
    mkdirSync(at('a'));
    mkdirSync(at('b'));
    writeFileSync(at('c'), 'kept');
    symlinkSync('b', at('d'));
    for (const name of ['b', 'c', 'd']) {
      await expectTreeFailure({ source: at('a'), destination: at(name) }, {}, 'exists');
    }
    await expectTreeFailure({ source: at('a'), destination: at('d') }, { merge: true }, 'exists');
  });

  it('rejects a destination inside the source before anything is written', async () => {
    mkdirSync(at('outer/inner'), { recursive: true });
    symlinkSync('outer/inner', at('alias'));
    for (const destination of ['outer/copy', 'outer/inner/copy', 'alias/copy']) {
      await expectTreeFailure({ source: at('outer'), destination: at(destination) }, {}, 'nested');
    }
    await expectTreeFailure({ source: at('outer'), destination: at('outer') }, { merge: true }, 'nested');
    expectNames(at('outer/inner'), []);
    expectNames(at('outer'), ['inner']);
  });

  it('rejects a merge into a directory that contains the source', async () => {
    mkdirSync(at('house/room'), { recursive: true });
    await expectTreeFailure(
      { source: at('house/room'), destination: at('house') },
      { merge: true },
      'nested',
    );
    expectNames(at('house'), ['room']);
  });

  it('rejects a second copy with the same id while the first one runs', async () => {
    mkdirSync(at('once'));
    for (let index = 0; index < 20; index += 1) writeRandom(at(`once/f${index}`), mib);
    const first = copyTree(at('once'), at('once-copy'));
    await expectTreeFailure({ source: at('once'), destination: at('once-copy') }, {}, 'partial_in_use');
    await first;
    rmSync(at('once-copy'), { recursive: true });
  });

  it('rejects a tree that would leave less than minFreeBytes', async () => {
    mkdirSync(at('fits'));
    const error = await expectTreeFailure(
      { source: at('fits'), destination: at('fits-copy') },
      { minFreeBytes: Number.MAX_SAFE_INTEGER },
      'no_space',
    );
    expect(error.message).toContain('must stay free');
  });
});
