import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { copyFile, hashFile, startCopy, support } from '@wcc/copy';
import { readCheckpoint } from '@wcc/copy/recovery';
import { describe, expect, it } from 'vitest';
import {
  expectEqualFiles,
  expectFailure,
  hiddenFilesIn,
  mib,
  useDirectory,
  waitFor,
  waitUntilTransferring,
  writeLayout,
  writeRandom,
} from '../testkit/files.testkit.ts';

const paths = support().available ? (['auto', 'off'] as const) : (['off'] as const);

/** Changes a file as `rsync --inplace -t` does: its modification time is the same before and after. */
function withSameTime(path: string, change: () => void): void {
  execFileSync('touch', ['-r', path, `${path}.time`]);
  const { mtimeNs } = statSync(path, { bigint: true });
  change();
  execFileSync('touch', ['-r', `${path}.time`, path]);
  rmSync(`${path}.time`);
  expect(statSync(path, { bigint: true }).mtimeNs).toBe(mtimeNs);
}

function writeAt(path: string, offset: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
}

describe.each(paths)(
  'D13: a source that is rewritten with its modification time put back, native: %s',
  (native) => {
    const dir = useDirectory();
    const at = (name: string): string => join(dir(), name);
    const rewrite = (name: string): void =>
      withSameTime(at(name), () =>
        writeAt(
          at(name),
          0,
          readFileSync(at(name)).map((byte) => byte ^ 255),
        ),
      );
    const options = { native, method: 'copy', bytesPerSecond: 2 * mib } as const;

    it('is not published as a mixture when it is rewritten during the copy', async () => {
      writeRandom(at('during'), 4 * mib);
      const job = startCopy(at('during'), at('during-copy'), options);
      await waitUntilTransferring(job);
      rewrite('during');
      job.setLimit(null);
      await expectFailure(job, 'source_changed');
      expect(existsSync(at('during-copy'))).toBe(false);
      expect(hiddenFilesIn(dir())).toEqual([]);
    });

    it('is not published when a program writes into one of its holes behind the copy', async () => {
      writeLayout(at('hole'), [{ gapBytes: mib, dataBytes: 3 * mib }]);
      const job = startCopy(at('hole'), at('hole-copy'), { ...options, verify: true });
      await waitFor('the copy is behind the hole', () => job.progress().doneBytes > 0.5 * mib);
      withSameTime(at('hole'), () => writeAt(at('hole'), 4096, Buffer.alloc(4096, 1)));
      job.setLimit(null);
      const error = await job.done.catch((failure: unknown) => failure);
      expect(['source_changed', 'verify_mismatch']).toContain((error as { code?: string }).code);
      expect(existsSync(at('hole-copy'))).toBe(false);
    });

    const suspended = async (name: string): Promise<void> => {
      writeRandom(at(name), 4 * mib);
      const job = startCopy(at(name), at(`${name}-copy`), { ...options, id: name });
      await waitFor('some windows are copied', () => job.progress().doneBytes > mib);
      job.suspend();
      await expectFailure(job, 'suspended');
    };
    const resume = async (name: string): ReturnType<typeof factsOf> => factsOf(name);
    const factsOf = async (name: string) => {
      const job = startCopy(at(name), at(`${name}-copy`), { native, method: 'copy', id: name });
      await job.done;
      expectEqualFiles(at(name), at(`${name}-copy`));
      return job.facts();
    };

    it('is copied from the beginning after a suspension', async () => {
      await suspended('between');
      rewrite('between');
      expect(await resume('between')).toMatchObject({
        restartedBecause: 'source_changed',
        resumedAtBytes: null,
      });
    });

    it('is resumed where only its attributes changed', async () => {
      await suspended('touched');
      const { doneBytes } = (await readCheckpoint(dir(), 'touched')) ?? {};
      chmodSync(at('touched'), 0o640);
      expect(await resume('touched')).toMatchObject({
        restartedBecause: null,
        resumedAtBytes: Number(doneBytes),
      });
    });

    /** The sidecar as release 0.1.0 wrote it. */
    const makeOld = (name: string): void => {
      const sidecar = at(`.wcc-${name}.json`);
      const { source, ...checkpoint } = JSON.parse(readFileSync(sidecar, 'utf8')) as {
        source: Record<string, string>;
      };
      const { ctimeNs, ...identity } = source;
      expect(ctimeNs).toMatch(/^\d+$/);
      writeFileSync(sidecar, JSON.stringify({ ...checkpoint, version: 1, source: identity }));
    };

    it('is compared, not trusted, after a checkpoint without change time', async () => {
      await suspended('old');
      makeOld('old');
      expect(await resume('old')).toMatchObject({ restartedBecause: null });
      await suspended('old-rewritten');
      makeOld('old-rewritten');
      rewrite('old-rewritten');
      expect(await resume('old-rewritten')).toMatchObject({
        restartedBecause: 'source_changed',
        resumedAtBytes: null,
      });
    });

    it('keeps the checkpoint when the comparison is stopped', async () => {
      await suspended('stopped');
      chmodSync(at('stopped'), 0o640);
      const job = startCopy(at('stopped'), at('stopped-copy'), { native, method: 'copy', id: 'stopped' });
      job.suspend();
      await expectFailure(job, 'suspended');
      expect(await resume('stopped')).toMatchObject({ restartedBecause: null });
    });

    it('is compared once when it is renamed or linked during the copy, and otherwise never', async () => {
      writeRandom(at('quiet'), 2 * mib);
      const phasesOf = async (change: () => void): Promise<string[]> => {
        const job = startCopy(at('quiet'), at('quiet-copy'), options);
        await waitUntilTransferring(job);
        change();
        job.setLimit(null);
        const { phases } = await job.done;
        expectEqualFiles(at('quiet'), at('quiet-copy'));
        rmSync(at('quiet-copy'));
        return phases.map(({ name }) => name);
      };
      expect(await phasesOf(() => {})).not.toContain('verify');
      const phases = await phasesOf(() => linkSync(at('quiet'), at('second-name')));
      expect(phases.filter((name) => name === 'verify')).toHaveLength(1);
      const { phases: cloned } = await copyFile(at('quiet'), at('quiet-auto'), { native });
      expect(cloned.map(({ name }) => name)).not.toContain('verify');
    });
  },
);

describe('D13: a digest of a file that is rewritten with its modification time put back', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);

  it('is the digest of the new content', async () => {
    writeFileSync(at('hashed'), '');
    truncateSync(at('hashed'), 600 * mib);
    let isWritten = false;
    const { sha256, file } = await hashFile(at('hashed'), {
      onProgress: ({ doneBytes }) => {
        if (isWritten || doneBytes === 0) return;
        isWritten = true;
        withSameTime(at('hashed'), () => writeAt(at('hashed'), 0, Buffer.alloc(4096, 7)));
      },
    });
    const wanted = createHash('sha256').update(Buffer.alloc(4096, 7));
    const zeros = Buffer.alloc(mib);
    wanted.update(zeros.subarray(4096));
    for (let done = mib; done < 600 * mib; done += mib) wanted.update(zeros);
    expect(isWritten).toBe(true);
    expect(sha256).toBe(wanted.digest('hex'));
    expect(file.ctimeNs).toBe(String(statSync(at('hashed'), { bigint: true }).ctimeNs));
  });
});
