import { existsSync, linkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { startCopy, support } from '@wcc/copy';
import * as recovery from '@wcc/copy/recovery';
import { beforeAll, describe, expect, it } from 'vitest';
import { SystemError } from '../kernel/errno.ts';
import { copyInChild } from '../testkit/child.testkit.ts';
import { expectEqualFiles, hiddenFilesIn, mib, useDirectory, writeRandom } from '../testkit/files.testkit.ts';
import { isSkipped } from '../testkit/skip.testkit.ts';
import { failingCalls, whyNoStrace } from '../testkit/strace.testkit.ts';
import { renameExclusively } from '../storage/rename-exclusively.ts';

const paths = support().available ? (['auto', 'off'] as const) : (['off'] as const);

const { ENOENT: missing, EEXIST: exists, ENOSYS: unknownCall } = constants.errno;

describe('D2: a rename whose answer is lost', () => {
  const dir = useDirectory();
  const at = (name: string): Buffer => Buffer.from(join(dir(), name));
  const rename = (name: string, renameNoReplace: (from: Buffer, to: Buffer) => void): string => {
    writeFileSync(at(`${name}-hidden`), name);
    return renameExclusively({
      from: at(`${name}-hidden`),
      to: at(name),
      kernel: { renameNoReplace },
      warnings: [],
    });
  };

  it('is done when the file has its final name', () => {
    const lost = (from: Buffer, to: Buffer): never => {
      renameSync(from, to);
      throw new SystemError(missing, 'renameat2');
    };
    expect(rename('renamed', lost)).toBe('renamed');
    expect(existsSync(at('renamed'))).toBe(true);
  });

  it('is done when the file has both names', () => {
    const lost = (from: Buffer, to: Buffer): never => {
      linkSync(from, to);
      throw new SystemError(exists, 'link');
    };
    expect(rename('linked', lost)).toBe('linked');
  });

  it('is an error when another file has the name', () => {
    const taken = (_from: Buffer, to: Buffer): never => {
      writeFileSync(to, 'of another program');
      throw new SystemError(exists, 'renameat2');
    };
    expect(() => rename('taken', taken)).toThrow('EEXIST');
    const unsupported = (): never => {
      throw new SystemError(unknownCall, 'renameat2');
    };
    expect(rename('unsupported', unsupported)).toBe('linked');
  });
});

describe('D2: a failure after the publication', () => {
  if (isSkipped(whyNoStrace())) return;
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);
  beforeAll(() => writeRandom(at('source'), 4 * mib));

  it.each(paths)('of close does not replace the result of a copy, kernel calls %s', async (native) => {
    for (const durable of [true, false]) {
      const job = {
        source: at('source'),
        destination: at('copy'),
        options: { id: 'close', native, durable },
      };
      const prefix = failingCalls(['close:error=EIO'], [at('copy'), at('source'), dir()]);
      const { ok, error } = await copyInChild(job, prefix);
      expect(error).toBeNull();
      expect(ok).toBe(true);
      expectEqualFiles(at('source'), at('copy'));
      expect(hiddenFilesIn(dir())).toEqual([]);
      rmSync(at('copy'));
    }
  });

  it.each(paths)(
    'of close is an error before a copy without flush is published, kernel calls %s',
    async (native) => {
      const options = { id: 'lazy', native, durable: false };
      const job = { source: at('source'), destination: at('copy'), options };
      const end = await copyInChild(job, failingCalls(['close:error=EIO:when=1'], [at('.wcc-lazy.partial')]));
      expect(end.error).toMatchObject({ code: 'io_error' });
      expect(existsSync(at('copy'))).toBe(false);
    },
  );

  it.each(paths)('to remove the second name is resumable, kernel calls %s', async (native) => {
    const options = { id: 'linked', native, method: 'copy', keepSidecar: true, keepPartial: true } as const;
    const job = { source: at('source'), destination: at('copy'), options };
    // The first call of unlink removes an earlier sidecar, and there is none.
    const prefix = failingCalls(['renameat2:error=EINVAL', 'unlink:error=EIO:when=2']);
    const end = await copyInChild(job, prefix);
    expect(end.error).toMatchObject({ code: 'io_error', resumable: true });
    expect(await recovery.readCheckpoint(dir(), 'linked')).toMatchObject({ phase: 'publishing' });
    expect((await startCopy(at('source'), at('copy'), options).done).resumed).toBe(true);
    expect(statSync(at('copy')).nlink).toBe(1);
    await recovery.forget(dir(), 'linked');
    expect(hiddenFilesIn(dir())).toEqual([]);
    rmSync(at('copy'));
  });

  it.each(paths)(
    'to flush the directory is resumable and settled as published, kernel calls %s',
    async (native) => {
      const options = { id: 'flushed', native, keepSidecar: true };
      const job = { source: at('source'), destination: at('copy'), options };
      // the first one belongs to the sidecar
      const end = await copyInChild(job, failingCalls(['fsync:error=EIO:when=2'], [dir()]));
      expect(end.error).toMatchObject({ code: 'io_error', resumable: true });
      expect(await recovery.settle(dir(), 'flushed', 'copy')).toBe('published');
      await recovery.forget(dir(), 'flushed');
      rmSync(at('copy'));
    },
  );
});
