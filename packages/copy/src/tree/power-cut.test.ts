import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyTree } from '@wcc/copy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDirectory, writeRandom } from '../testkit/files.testkit.ts';
import { mountFresh, whyNoMounts } from '../testkit/mounts.testkit.ts';
import type { Mounted } from '../testkit/mounts.testkit.ts';
import { isSkipped } from '../testkit/skip.testkit.ts';
import { expectEqualTrees, listTree } from '../testkit/tree.testkit.ts';

const cuts = Number(process.env['WCC_CUT_ROUNDS'] ?? 6);
/** Options to mount a second file system with the same identity, whose log must be replayed. */
const mountOptions = { ext4: 'loop', xfs: 'loop,nouuid', btrfs: 'loop' } as const;

/** What a disk holds after a power cut: mounts a copy of the image, which replays its log, and looks at it. */
function afterCut<T>(image: string, type: keyof typeof mountOptions, look: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'wcc-copy-cut-'));
  execFileSync('mount', ['-o', mountOptions[type], image, directory]);
  try {
    return look(directory);
  } finally {
    execFileSync('umount', [directory]);
    rmSync(directory, { recursive: true });
  }
}

describe.each(['ext4', 'xfs', 'btrfs'] as const)('a power cut while a tree is copied to %s', (type) => {
  if (isSkipped(whyNoMounts('xfs') ?? whyNoMounts(type))) return;
  const dir = useDirectory();
  const source = (): string => join(dir(), 'source');
  // The image is a file on XFS, which takes a consistent picture of it in an instant by shared blocks.
  let shelf: Mounted | null = null;
  let disk: Mounted | null = null;
  const image = (name: string): string => join(shelf?.directory ?? '', name);
  const takePicture = (name: string): string => {
    execFileSync('cp', ['--reflink=always', disk?.image ?? '', image(name)]);
    return image(name);
  };
  beforeAll(() => {
    for (let directory = 0; directory < 6; directory += 1) {
      mkdirSync(join(source(), `d${directory}`), { recursive: true });
      for (let file = 0; file < 60; file += 1)
        writeRandom(join(source(), `d${directory}`, `f${file}`), 20_000);
      writeRandom(join(source(), `d${directory}`, 'larger'), 2_000_000);
    }
    shelf = mountFresh('xfs', 1500);
    disk = mountFresh(type, 300, shelf.directory);
  });
  afterAll(() => {
    disk?.unmount();
    shelf?.unmount();
  });

  it(
    `leaves the whole tree or none under its name, and the whole tree once the copy is done`,
    { timeout: 120_000 },
    async () => {
      const destination = join(disk?.directory ?? '', 'copy');
      let isDone = false;
      const copying = copyTree(source(), destination).finally(() => {
        isDone = true;
      });
      const pictures: string[] = [];
      while (!isDone && pictures.length < cuts) {
        pictures.push(takePicture(`cut-${pictures.length}`));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await copying;
      const last = takePicture('last');
      // btrfs refuses a second mount of the same file system
      const mounted = disk?.directory ?? '';
      execFileSync('umount', [mounted]);
      try {
        let missing = 0;
        for (const picture of pictures) {
          afterCut(picture, type, (directory) => {
            if (existsSync(join(directory, 'copy'))) expectEqualTrees(source(), join(directory, 'copy'));
            else missing += 1;
          });
        }
        afterCut(last, type, (directory) => expectEqualTrees(source(), join(directory, 'copy')));
        expect(missing).toBeGreaterThan(0);
      } finally {
        execFileSync('mount', ['-o', 'loop', disk?.image ?? '', mounted]);
      }
    },
  );

  it('loses data of a copy with durable: false, which shows that this test sees a missing flush', async () => {
    const mounted = disk?.directory ?? '';
    await copyTree(source(), join(mounted, 'scratch'), { durable: false });
    const picture = takePicture('scratch');
    execFileSync('umount', [mounted]);
    try {
      const kept = afterCut(picture, type, (directory) => {
        const copy = join(directory, 'scratch');
        return existsSync(copy) ? Object.fromEntries(listTree(copy)) : {};
      });
      expect(kept).not.toEqual(Object.fromEntries(listTree(source())));
    } finally {
      execFileSync('mount', ['-o', 'loop', disk?.image ?? '', mounted]);
    }
  });
});
