import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCopy } from '@wcc/copy';
import * as recovery from '@wcc/copy/recovery';
import type { CopyOptions } from '@wcc/copy';
import {
  expectEqualFiles,
  expectFailure,
  kib,
  mib,
  hiddenFilesIn,
  useDirectory,
  waitFor,
  waitUntilTransferring,
  writeLayout,
  writeRandom,
} from './files.testkit.ts';
import type { TestEnvironment } from './files.testkit.ts';

/** Checkpoints, resumed copies, recovery after a crash, and verification. */
export function describeResume(environment: TestEnvironment): void {
  describe('resume', () => {
    const dir = useDirectory(environment.directory);
    const at = (name: string): string => join(dir(), name);
    const start = (from: string, to: string, more: CopyOptions = {}) =>
      startCopy(from, to, { ...environment.options, method: 'copy', ...more });

    /** Suspends a copy of 4 MiB during its transfer. */
    const suspendedCopy = async (name: string): Promise<void> => {
      writeRandom(at(name), 4 * mib);
      const job = start(at(name), at(`${name}-copy`), {
        id: name,
        tag: 'pool-1',
        bytesPerSecond: mib,
      });
      await waitUntilTransferring(job);
      job.suspend();
      const error = await expectFailure(job, 'suspended');
      expect(error.resumable).toBe(true);
    };

    it('resumes a suspended copy at its checkpoint', async () => {
      await suspendedCopy('goes-on');
      const checkpoint = await recovery.readCheckpoint(dir(), 'goes-on');
      expect(checkpoint).toMatchObject({
        operation: 'goes-on',
        tag: 'pool-1',
        phase: 'transfer',
        target: 'goes-on-copy',
      });
      expect(await recovery.settle(dir(), 'goes-on', 'goes-on-copy')).toBe('resumable');
      expect(await recovery.list(dir())).toMatchObject([{ id: 'goes-on', hasSidecar: true }]);
      const job = start(at('goes-on'), at('goes-on-copy'), { id: 'goes-on' });
      const result = await job.done;
      expect(result.resumed).toBe(true);
      expect(job.facts().resumedAtBytes).toBe(Number(checkpoint?.doneBytes));
      expect(job.facts().resumedAtBytes).toBeGreaterThan(0);
      expect(result.bytes.written).toBe(4 * mib);
      expectEqualFiles(at('goes-on'), at('goes-on-copy'));
      expect(hiddenFilesIn(dir())).toEqual([]);
    });

    it('keeps its checkpoint when the resumed run is suspended at any moment', async () => {
      await suspendedCopy('again');
      for (const delayMs of [0, 1, 2, 5]) {
        const job = start(at('again'), at('again-copy'), { id: 'again', bytesPerSecond: mib });
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        job.suspend();
        await expectFailure(job, 'suspended');
        expect(await recovery.settle(dir(), 'again', 'again-copy')).toBe('resumable');
      }
      await start(at('again'), at('again-copy'), { id: 'again' }).done;
      expectEqualFiles(at('again'), at('again-copy'));
    });

    it('resumes a suspended copy of a sparse file at its checkpoint', async () => {
      writeLayout(
        at('holes'),
        Array.from({ length: 40 }, () => ({ gapBytes: 96 * kib, dataBytes: 50_000 })),
        mib,
      );
      const first = start(at('holes'), at('holes-copy'), { id: 'holes', bytesPerSecond: 400 * kib });
      await waitFor('some windows are copied', () => first.progress().doneBytes > 150 * kib);
      first.suspend();
      await expectFailure(first, 'suspended');
      const checkpoint = await recovery.readCheckpoint(dir(), 'holes');
      const job = start(at('holes'), at('holes-copy'), { id: 'holes', verify: true });
      await job.done;
      expect(job.facts().resumedAtBytes).toBe(Number(checkpoint?.doneBytes));
      expectEqualFiles(at('holes'), at('holes-copy'));
    });

    it('restarts with the reason source_changed when the source has changed', async () => {
      await suspendedCopy('changed');
      appendFileSync(at('changed'), 'one more line');
      const job = start(at('changed'), at('changed-copy'), { id: 'changed' });
      await job.done;
      expect(job.facts()).toMatchObject({ restartedBecause: 'source_changed', resumedAtBytes: null });
      expectEqualFiles(at('changed'), at('changed-copy'));
    });

    it('restarts when the sidecar is malformed, foreign or does not match', async () => {
      const malformed = [
        '',
        '{',
        'null',
        '[]',
        JSON.stringify({ version: 1, offset: '-5' }),
        'x'.repeat(99_999),
      ];
      for (const text of malformed) {
        await suspendedCopy('garbled');
        writeFileSync(at('.wcc-garbled.json'), text);
        expect(await recovery.readCheckpoint(dir(), 'garbled')).toBeNull();
        expect(await recovery.settle(dir(), 'garbled', 'garbled-copy')).toBe('not_published');
        const job = start(at('garbled'), at('garbled-copy'), { id: 'garbled' });
        await job.done;
        expect(job.facts().restartedBecause).toBe('no_checkpoint');
        expectEqualFiles(at('garbled'), at('garbled-copy'));
        rmSync(at('garbled-copy'));
      }
      await suspendedCopy('replaced');
      writeFileSync(at('other'), readFileSync(at('.wcc-replaced.partial')));
      renameSync(at('other'), at('.wcc-replaced.partial'));
      const job = start(at('replaced'), at('replaced-copy'), { id: 'replaced' });
      await job.done;
      expect(job.facts().restartedBecause).toBe('partial_replaced');
    });

    it('restarts with the reason newer_checkpoint when a newer version wrote the sidecar', async () => {
      await suspendedCopy('newer');
      const sidecar = at('.wcc-newer.json');
      const checkpoint = JSON.parse(readFileSync(sidecar, 'utf8')) as object;
      writeFileSync(sidecar, JSON.stringify({ ...checkpoint, version: 3 }));
      expect(await recovery.readCheckpoint(dir(), 'newer')).toBeNull();
      expect(await recovery.settle(dir(), 'newer', 'newer-copy')).toBe('not_published');
      const job = start(at('newer'), at('newer-copy'), { id: 'newer' });
      await job.done;
      expect(job.facts()).toMatchObject({ restartedBecause: 'newer_checkpoint', resumedAtBytes: null });
      expectEqualFiles(at('newer'), at('newer-copy'));
    });

    it('removes partial and sidecar on request and returns the bytes freed', async () => {
      await suspendedCopy('given-up');
      const { freedBytes } = await recovery.remove(dir(), 'given-up');
      expect(freedBytes).toBeGreaterThan(0);
      expect(hiddenFilesIn(dir())).toEqual([]);
      expect(await recovery.remove(dir(), 'given-up')).toEqual({ freedBytes: 0 });
      expect(await recovery.settle(dir(), 'given-up', 'given-up-copy')).toBe('nothing');
    });

    it('cancelling a resumed copy removes the files of earlier runs', async () => {
      await suspendedCopy('twice');
      await expectFailure(
        start(at('twice'), at('twice-copy'), { id: 'twice', signal: AbortSignal.abort() }),
        'cancelled',
      );
      expect(hiddenFilesIn(dir())).toEqual([]);
    });

    it('keeps the sidecar of a published copy until recovery.forget() is called', async () => {
      writeRandom(at('kept'), mib);
      const options = { id: 'kept', keepSidecar: true };
      const result = await start(at('kept'), at('kept-copy'), options).done;
      expect(hiddenFilesIn(dir())).toEqual(['.wcc-kept.json']);
      expect(await recovery.settle(dir(), 'kept', 'kept-copy')).toBe('published');
      // A server that died before it recorded the end repeats the copy, and gets the same result even without
      // the source.
      rmSync(at('kept'));
      const again = await start(at('kept'), at('kept-copy'), options).done;
      expect(again).toMatchObject({ inode: result.inode, bytes: result.bytes, resumed: true });
      await recovery.forget(dir(), 'kept');
      expect(await recovery.settle(dir(), 'kept', 'kept-copy')).toBe('nothing');
      expect(statSync(at('kept-copy')).size).toBe(mib);
    });

    it('rejects with verify_mismatch and publishes nothing when a byte differs', async () => {
      writeRandom(at('checked'), 2 * mib);
      const job = start(at('checked'), at('checked-copy'), {
        id: 'checked',
        verify: true,
        bytesPerSecond: mib,
      });
      await waitUntilTransferring(job);
      job.pause();
      await waitFor('it is paused', () => job.progress().state === 'paused');
      const fd = openSync(at('.wcc-checked.partial'), 'r+');
      const original = readFileSync(at('checked'));
      writeSync(fd, Buffer.from([(original[4321] ?? 0) ^ 1]), 0, 1, 4321);
      closeSync(fd);
      job.setLimit(null);
      job.resume();
      const error = await expectFailure(job, 'verify_mismatch');
      expect(error.offset).toBe(4321);
      expect(hiddenFilesIn(dir())).toEqual([]);
    });
  });
}
