import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyTree, support } from '@wcc/copy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { mib, useDirectory, writeRandom } from '../testkit/files.testkit.ts';
import { mountFresh, whyNoMounts } from '../testkit/mounts.testkit.ts';
import type { Mounted, MountType } from '../testkit/mounts.testkit.ts';
import { isSkipped } from '../testkit/skip.testkit.ts';
import { failingCalls, whyNoStrace } from '../testkit/strace.testkit.ts';
import { expectEqualTrees, expectNames, expectTreeFailure, makeTree } from '../testkit/tree.testkit.ts';

const natives = support().available ? (['auto', 'off'] as const) : (['off'] as const);

/** Runs the tests with a fresh mount, or skips them with the reason. */
function describeMount(
  name: string,
  mount: { type: MountType; sizeMib: number },
  tests: (at: (name: string) => string, mounted: () => Mounted) => void,
): void {
  describe(name, () => {
    if (isSkipped(whyNoMounts(mount.type))) return;
    let mounted: Mounted | null = null;
    beforeAll(() => {
      mounted = mountFresh(mount.type, mount.sizeMib);
    });
    afterAll(() => mounted?.unmount());
    const use = (): Mounted => {
      if (mounted === null) throw new Error('not mounted');
      return mounted;
    };
    tests((path) => join(use().directory, path), use);
  });
}

describe.each(['ext4', 'xfs', 'btrfs', 'tmpfs'] as const)('trees on %s', (type) => {
  describeMount('inside one file system', { type, sizeMib: 400 }, (at) => {
    it.each(natives)('keeps everything, with native: %s', async (native) => {
      const source = at(`source-${native}`);
      makeTree(source);
      for (const concurrency of [1, 2]) {
        const copy = at(`copy-${native}-${concurrency}`);
        await copyTree(source, copy, { native, concurrency });
        expectEqualTrees(source, copy, { timeUnitNs: native === 'off' ? 1000n : 1n });
      }
    });

    it.skipIf(natives.length === 1)('shares blocks with method clone, or refuses it', async () => {
      makeTree(at('blocks'));
      const paths = { source: at('blocks'), destination: at('blocks-copy') };
      if (type === 'ext4' || type === 'tmpfs') {
        await expectTreeFailure(paths, { method: 'clone' }, 'clone_unsupported');
        expect(existsSync(paths.destination)).toBe(false);
        return;
      }
      await copyTree(paths.source, paths.destination, { method: 'clone' });
      expectEqualTrees(paths.source, paths.destination);
    });
  });
});

describeMount('a full file system', { type: 'tmpfs', sizeMib: 64 }, (at, mounted) => {
  const dir = useDirectory();
  const source = (): string => join(dir(), 'source');
  beforeAll(() => {
    mkdirSync(source());
    for (let index = 0; index < 100; index += 1) writeFileSync(join(source(), `f${index}`), 'x');
  });

  it('refuses a tree that does not fit before anything is written', async () => {
    mkdirSync(join(dir(), 'large'));
    writeRandom(join(dir(), 'large', 'file'), 80 * mib);
    const error = await expectTreeFailure(
      { source: join(dir(), 'large'), destination: at('copy') },
      {},
      'no_space',
    );
    expect(error.message).toMatch(/needs 80 MiB, \d+ MiB free/);
    expectNames(at(''), []);
  });

  it('removes its files when the disk is full in the middle', async () => {
    mounted().remount('nr_inodes=50');
    await expectTreeFailure({ source: source(), destination: at('copy') }, {}, 'no_space');
    expectNames(at(''), []);
  });

  it('keeps its files with keepPartial, and resumes once there is space', async () => {
    mounted().remount('nr_inodes=50');
    const paths = { source: source(), destination: at('copy') };
    const error = await expectTreeFailure(paths, { keepPartial: true }, 'no_space');
    expect(error.resumable).toBe(true);
    mounted().remount('nr_inodes=1000');
    const result = await copyTree(paths.source, paths.destination);
    expect(result.reusedFiles).toBeGreaterThan(30);
    expectEqualTrees(paths.source, paths.destination);
    expectNames(at(''), ['copy']);
  });

  it('refuses a merge into a directory where another file system is mounted', async () => {
    mkdirSync(join(dir(), 'parts', 'inner'), { recursive: true });
    writeFileSync(join(dir(), 'parts', 'inner', 'file'), 'x');
    mkdirSync(at('whole/inner'), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', at('whole/inner')]);
    try {
      const paths = { source: join(dir(), 'parts'), destination: at('whole') };
      await expectTreeFailure(paths, { merge: true }, 'cross_device');
      expectNames(at('whole'), ['inner']);
    } finally {
      execFileSync('umount', [at('whole/inner')]);
    }
  });

  it('refuses a destination that a bind mount shows inside the source', async () => {
    mkdirSync(at('tree/window'), { recursive: true });
    mkdirSync(at('place'));
    execFileSync('mount', ['--bind', at('place'), at('tree/window')]);
    try {
      await expectTreeFailure({ source: at('tree'), destination: at('place/copy') }, {}, 'nested');
      expectNames(at('place'), []);
    } finally {
      execFileSync('umount', [at('tree/window')]);
    }
  });
});

describe('system calls that fail', () => {
  if (isSkipped(whyNoStrace())) return;
  const dir = useDirectory();
  const failures = [
    { call: 'syncfs', native: 'auto', errno: 'EIO', code: 'io_error' },
    { call: 'fsync', native: 'off', errno: 'EIO', code: 'io_error' },
    { call: 'pwrite64', native: 'auto', errno: 'EDQUOT', code: 'quota' },
    { call: 'fchmod', native: 'auto', errno: 'EPERM', code: 'permission' },
    { call: 'getdents64', native: 'auto', errno: 'EIO', code: 'io_error' },
  ] as const;

  it.each(failures.filter(({ native }) => natives.some((each) => each === native)))(
    '$call with native: $native and $errno ends with $code, and publishes nothing',
    async ({ call, native, errno, code }) => {
      const source = join(dir(), 'source');
      mkdirSync(source, { recursive: true });
      for (let index = 0; index < 5; index += 1) writeFileSync(join(source, `f${index}`), 'some bytes');
      const destination = join(dir(), 'copy');
      const script = `
        const failure = await copy.copyTree(${JSON.stringify(source)}, ${JSON.stringify(destination)}, { native: '${native}' })
          .catch((error) => error);
        console.log(failure.code);`;
      // koffi syncs the output at the exit, so a later fsync must not fail.
      const prefix = failingCalls([`${call}:error=${errno}:when=1`]);
      const { stdout, stderr } = await startChild(script, prefix).ended;
      expect(stdout.trim(), stderr).toBe(code);
      expect(readdirSync(dir())).toEqual(['source']);
    },
  );
});
