import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { copyTree, support } from '@wcc/copy';
import { forget, list, remove, settle } from '@wcc/copy/recovery';
import { describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { mib, useDirectory, waitFor, writeRandom } from '../testkit/files.testkit.ts';
import { expectEqualTrees, expectNames, expectTreeFailure } from '../testkit/tree.testkit.ts';

const rounds = Number(process.env['WCC_CRASH_ROUNDS'] ?? 4);
const natives = support().available ? (['auto', 'off'] as const) : (['off'] as const);
/** Approximate time of a whole copy below. */
const lifetimeMs = 250;

describe('a process killed in the middle of a tree copy', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);

  const makeSource = (): void => {
    for (const directory of ['a/b', 'c']) {
      mkdirSync(at(`source/${directory}`), { recursive: true });
      for (let index = 0; index < 60; index += 1) writeRandom(at(`source/${directory}/f${index}`), 200_000);
    }
    writeRandom(at('source/c/large'), 70 * mib);
  };

  const startCopy = (destination: string, options: object): ReturnType<typeof startChild> =>
    startChild(`
      await copy.preload();
      console.log('started');
      await copy.copyTree(${JSON.stringify(at('source'))}, ${JSON.stringify(destination)}, ${JSON.stringify(options)});
      setInterval(() => {}, 1000);`);

  it(
    `leaves the whole tree or none under its name, and the same call completes it, ${rounds} times`,
    { timeout: 60_000 + rounds * 6000 },
    async () => {
      makeSource();
      const seen = { published: 0, staging: 0, nothing: 0 };
      let reused = 0;
      for (let round = 0; round < rounds; round += 1) {
        const destination = at(`copy-${round}`);
        const options = { native: natives[round % natives.length] ?? 'off', method: 'copy' as const };
        const child = startCopy(destination, options);
        await child.firstOutput;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * lifetimeMs));
        child.process.kill('SIGKILL');
        expect((await child.ended).signal).toBe('SIGKILL');
        const [staging] = await list(dir());
        if (existsSync(destination)) {
          seen.published += 1;
          expectEqualTrees(at('source'), destination, { timeUnitNs: 1000n });
          rmSync(destination, { recursive: true });
        } else if (staging === undefined) seen.nothing += 1;
        else {
          seen.staging += 1;
          expect(staging).toMatchObject({ kind: 'tree' });
          if (staging.hasSidecar) expect(await settle(dir(), staging.id, `copy-${round}`)).toBe('resumable');
        }
        const result = await copyTree(at('source'), destination, options);
        reused += result.reusedFiles;
        expect(result).toMatchObject({ files: 121, directories: 4 });
        expectEqualTrees(at('source'), destination, { timeUnitNs: 1000n });
        expectNames(dir(), ['source', `copy-${round}`]);
        rmSync(destination, { recursive: true });
      }
      // If every kill came too early or too late, the test would prove nothing.
      expect(seen.staging, JSON.stringify(seen)).toBeGreaterThan(0);
      expect(reused).toBeGreaterThan(0);
    },
  );

  /** Leaves a staging directory that has some files, and returns its id. */
  const leaveStaging = async (destination: string): Promise<string> => {
    const child = startCopy(destination, { method: 'copy' });
    await child.firstOutput;
    await waitFor('files are copied', () =>
      readdirSync(dir()).some((name) => name.endsWith('.partial') && existsSync(join(at(name), 'a/b'))),
    );
    child.process.kill('SIGKILL');
    await child.ended;
    const [staging] = await list(dir());
    expect(staging).toMatchObject({ kind: 'tree', hasSidecar: true });
    return staging?.id ?? '';
  };

  it('a resumed copy drops what the source no longer has, and copies what has changed', async () => {
    const id = await leaveStaging(at('fresh'));
    const staging = at(`.wcc-${id}.partial`);
    mkdirSync(join(staging, 'gone'), { recursive: true });
    writeFileSync(join(staging, 'gone', 'file'), 'x');
    writeFileSync(join(staging, 'a', 'extra'), 'x');
    rmSync(join(staging, 'a', 'b', 'f1'), { force: true });
    mkdirSync(join(staging, 'a', 'b', 'f1'));
    const { mtime } = statSync(at('source/a/b/f2'));
    writeFileSync(join(staging, 'a', 'b', 'f2'), 'other size');
    utimesSync(join(staging, 'a', 'b', 'f2'), mtime, mtime);
    const result = await copyTree(at('source'), at('fresh'), { method: 'copy' });
    expect(result.files).toBe(121);
    expectEqualTrees(at('source'), at('fresh'));
    rmSync(at('fresh'), { recursive: true });
  });

  it('nothing of a run before a restart of the system is trusted', async () => {
    const id = await leaveStaging(at('later'));
    const sidecar = at(`.wcc-${id}.json`);
    const text = readFileSync(sidecar, 'utf8');
    writeFileSync(sidecar, text.replace(/"bootId":"[^"]+"/, '"bootId":"another"'));
    const result = await copyTree(at('source'), at('later'), { method: 'copy' });
    expect(result).toMatchObject({ reusedFiles: 0, files: 121 });
    rmSync(at('later'), { recursive: true });
  });

  it('remove() deletes a staging directory and its sidecar, and returns the bytes', async () => {
    const id = await leaveStaging(at('dropped'));
    const [found] = await list(dir());
    expect(found?.partialBytes).toBeGreaterThan(mib);
    expect((await remove(dir(), id)).freedBytes).toBe(found?.partialBytes);
    expectNames(dir(), ['source']);
  });

  it('a crash between the rename and the end is found: the same call returns the result of the first', async () => {
    mkdirSync(at('little'));
    writeFileSync(at('little/file'), 'x');
    const id = 'little';
    await copyTree(at('little'), at('little-copy'), { id });
    const totals = { files: 1, directories: 1, symlinks: 0, hardLinks: 0, bytes: 1, allocatedBytes: 0 };
    const fields = {
      version: 1,
      kind: 'tree',
      operation: id,
      phase: 'publishing',
      bootId: '-',
      sourceInode: '0',
      totals,
    };
    const stagingInode = String(statSync(at('little-copy'), { bigint: true }).ino);
    writeFileSync(at(`.wcc-${id}.json`), JSON.stringify({ ...fields, stagingInode, target: 'little-copy' }));
    expect(await settle(dir(), id, 'little-copy')).toBe('published');
    unlinkSync(at('little/file'));
    expect(await copyTree(at('little'), at('little-copy'), { id })).toMatchObject({ files: 1, bytes: 1 });
    expectNames(at('little-copy'), ['file']);
    expectNames(dir(), ['source', 'little', 'little-copy']);
    await forget(dir(), id);
  });

  it('a crash in the middle of a merge is found: the same call moves the rest', async () => {
    for (const name of ['x', 'y']) {
      mkdirSync(at(`parts/${name}`), { recursive: true });
      writeFileSync(at(`parts/${name}/file`), name);
    }
    mkdirSync(at('whole/x'), { recursive: true });
    mkdirSync(at('whole/y'));
    // The destination of the second part is taken, so the merge stops in its middle.
    const paths = { source: at('parts'), destination: at('whole') };
    const failing = expectTreeFailure(paths, { merge: true, id: 'parts' }, 'exists');
    await waitFor('the scan is over', () => existsSync(at('whole/.wcc-parts.partial')));
    for (const name of ['x', 'y']) writeFileSync(at(`whole/${name}/file`), 'taken');
    const error = await failing;
    expect(error.resumable).toBe(true);
    expect(existsSync(at('whole/.wcc-parts.partial'))).toBe(true);
    for (const name of ['x', 'y']) rmSync(at(`whole/${name}/file`));
    await copyTree(at('parts'), at('whole'), { merge: true, id: 'parts' });
    expectEqualTrees(at('parts/x'), at('whole/x'), { timeUnitNs: 2n ** 62n });
    expectNames(at('whole'), ['x', 'y']);
  });

  it('a failure keeps the staging directory with keepPartial, and the next call uses it', async () => {
    mkdirSync(at('kept-source'));
    for (let index = 0; index < 30; index += 1) writeRandom(at(`kept-source/f${index}`), mib);
    const paths = { source: at('kept-source'), destination: at('kept-copy') };
    const failing = expectTreeFailure(paths, { id: 'kept', keepPartial: true }, 'exists');
    await waitFor('the scan is over', () => existsSync(at('.wcc-kept.partial')));
    mkdirSync(at('kept-copy'));
    expect((await failing).resumable).toBe(true);
    renameSync(at('kept-copy'), at('kept-other'));
    const result = await copyTree(paths.source, paths.destination, { id: 'kept' });
    expect(result).toMatchObject({ files: 30 });
    expectEqualTrees(paths.source, paths.destination);
  });
});
