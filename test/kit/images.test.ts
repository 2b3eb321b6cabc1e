import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeWorkspace } from './directories.ts';
import { dataRanges, makeRandomImage, makeSparseImage, MiB, sha256, sha256OfData } from './images.ts';

const workspace = makeWorkspace('kit-images');
afterAll(() => workspace.remove());

it('sha256 gives the digest of sha256sum for files larger than the buffer', async () => {
  const path = join(workspace.path, 'random');
  await makeRandomImage(path, 9 * MiB + 17);
  expect(statSync(path).size).toBe(9 * MiB + 17);
  expect(await sha256(path)).toBe(execFileSync('sha256sum', [path], { encoding: 'utf8' }).split(' ')[0]);
});

it('makeSparseImage puts data at even distances and allocates no other space', async () => {
  const path = join(workspace.path, 'sparse');
  await makeSparseImage(path, { virtualBytes: 1024 * MiB, dataBytes: 4 * MiB, pieces: 4 });
  expect(await dataRanges(path)).toEqual(
    [0, 256, 512, 768].map((at) => ({ start: at * MiB, end: (at + 1) * MiB })),
  );
  expect(statSync(path).blocks * 512).toBeLessThan(5 * MiB);
});

it('sha256OfData changes when a data range moves', async () => {
  const [one, two] = ['one', 'two'].map((name) => join(workspace.path, name));
  writeFileSync(one!, Buffer.concat([Buffer.alloc(4096, 1), Buffer.alloc(4096)]));
  writeFileSync(two!, Buffer.concat([Buffer.alloc(4096), Buffer.alloc(4096, 1)]));
  expect(await sha256OfData(one!)).not.toBe(await sha256OfData(two!));
});
