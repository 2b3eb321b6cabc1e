import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { copyTree } from '@wcc/copy';
import { beforeEach, describe, expect, it } from 'vitest';
import { emptyTotals } from '../contract/tree.ts';
import type { TreeStep } from '../contract/tree.ts';
import { runInWorker } from '../job/pool.ts';
import { mib, useDirectory, writeLayout, writeRandom } from '../testkit/files.testkit.ts';
import { expectEqualTrees, expectNames } from '../testkit/tree.testkit.ts';
import { KeySet } from './key-set.ts';
import { planTree } from './tree-options.ts';
import { createTreeMonitor } from './tree-progress.ts';
import { createTreeRequest } from './tree-request.ts';
import { openRoots } from './tree-roots.ts';

const fileCount = 20;
const id = 'states';
/** A time that tar, rsync and `cp -p` would put back. */
const oldSeconds = 1_700_000_000;

describe('files of an earlier run', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);
  const hidden = (): string => at(`.wcc-${id}.partial/.wcc-${id}.partial`);
  const files = (): string[] => Array.from({ length: fileCount }, (_, index) => at(`source/d/f${index}`));

  beforeEach(async () => {
    for (const name of readdirSync(dir())) rmSync(at(name), { recursive: true });
    mkdirSync(at('source/d'), { recursive: true });
    for (const file of files()) {
      writeRandom(file, 5000);
      utimesSync(file, oldSeconds, oldSeconds);
    }
    writeLayout(at('source/large'), [{ gapBytes: 0, dataBytes: 5000 }], 65 * mib);
    utimesSync(at('source/large'), oldSeconds, oldSeconds);
    await copyEveryEntry();
  });

  /** Leaves the state of a process that was killed after the last entry. */
  async function copyEveryEntry(concurrency = 1): Promise<void> {
    const [source, destination] = [Buffer.from(at('source')), Buffer.from(at('copy'))];
    const plan = planTree({ source, destination }, { id, concurrency, method: 'copy', durable: false });
    const monitor = createTreeMonitor(concurrency);
    const open = await openRoots(plan);
    const run = async (step: TreeStep, shard = 0): Promise<void> => {
      const fields = { step, roots: open.roots, shard, resumed: false, totals: emptyTotals() };
      await runInWorker(createTreeRequest(plan, { ...fields, monitor }));
    };
    try {
      await open.openStaging(true);
      await run('prepare');
      for (let shard = 0; shard < concurrency; shard += 1) await run('copy', shard);
    } finally {
      await open.close();
    }
    expect(readdirSync(hidden())).toContain('journal-0');
  }

  /** Changes the content and puts the modification time back. */
  function rewrite(path: string): void {
    writeFileSync(path, Buffer.alloc(4096, 7), { flag: 'r+' });
    utimesSync(path, oldSeconds, oldSeconds);
  }

  async function expectResumed(expected: { reusedFiles: number }, concurrency = 1): Promise<void> {
    const result = await copyTree(at('source'), at('copy'), {
      id,
      concurrency,
      method: 'copy',
      durable: false,
    });
    expect(result).toMatchObject({ files: fileCount + 1, ...expected });
    expectEqualTrees(at('source'), at('copy'));
    expectNames(dir(), ['copy', 'source']);
  }

  it('are reused when neither the source nor the copy has changed', async () => {
    await expectResumed({ reusedFiles: fileCount + 1 });
  });

  it('are reused with another number of workers', async () => {
    await expectResumed({ reusedFiles: fileCount + 1 }, 2);
  });

  it('D13: are copied again when the source was rewritten with its modification time put back', async () => {
    rewrite(at('source/d/f3'));
    rewrite(at('source/large'));
    await expectResumed({ reusedFiles: fileCount - 1 });
  });

  it('D13: are copied again when the copy was rewritten with its modification time put back', async () => {
    rewrite(at(`.wcc-${id}.partial/d/f5`));
    await expectResumed({ reusedFiles: fileCount });
  });

  it('D13: of a former version, without a journal, are compared instead of trusted', async () => {
    rmSync(hidden(), { recursive: true });
    rewrite(at('source/d/f3'));
    rewrite(at('source/large'));
    await expectResumed({ reusedFiles: fileCount - 1 });
  });

  it('get the new mode when only the mode of the source has changed', async () => {
    chmodSync(at('source/d/f3'), 0o600);
    chmodSync(at('source/large'), 0o640);
    await expectResumed({ reusedFiles: fileCount + 1 });
  });

  it('are reused after a record that was cut, and the next records are complete', async () => {
    appendFileSync(join(hidden(), 'journal-0'), 'half');
    const before = lstatSync(join(hidden(), 'journal-0')).size;
    chmodSync(at('source/d/f3'), 0o600);
    await expectResumed({ reusedFiles: fileCount + 1 });
    expect((before - 'half'.length) % (fileCount + 1)).toBe(0);
    expect(existsSync(hidden())).toBe(false);
  });

  it('are reused from the journals of two workers', async () => {
    rmSync(at(`.wcc-${id}.partial`), { recursive: true });
    await copyEveryEntry(2);
    expect(readdirSync(hidden()).toSorted()).toEqual(['journal-0', 'journal-1']);
    await expectResumed({ reusedFiles: fileCount + 1 });
  });
});

it('a set of keys finds each of 5,000 keys and no other', () => {
  const set = new KeySet(8);
  const key = (number: number): Buffer => {
    const buffer = Buffer.alloc(8);
    buffer.writeUInt32LE(number);
    return buffer;
  };
  for (let number = 0; number < 5000; number += 1) set.add(key(number));
  set.add(key(17));
  expect(set.size).toBe(5000);
  const found = Array.from({ length: 10_000 }, (_, number) => set.has(key(number)));
  expect(found.lastIndexOf(true)).toBe(4999);
  expect(found.indexOf(false)).toBe(5000);
});
