import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCopy } from '@wcc/copy';
import type { CopyOptions, CopyPhaseEvent, CopyProgress } from '@wcc/copy';
import {
  expectEqualFiles,
  expectFailure,
  kib,
  mib,
  hiddenFilesIn,
  useDirectory,
  waitFor,
  waitUntilTransferring,
  writeRandom,
} from './files.testkit.ts';
import type { TestEnvironment } from './files.testkit.ts';

/** Cancel, pause, limit, and the progress reported during each. */
export function describeControl(environment: TestEnvironment): void {
  describe('control', () => {
    const dir = useDirectory(environment.directory);
    const at = (name: string): string => join(dir(), name);
    const start = (from: string, to: string, more: CopyOptions = {}) =>
      startCopy(from, to, { ...environment.options, method: 'copy', ...more });

    it('leaves no file when cancelled in any phase', async () => {
      writeRandom(at('source'), 4 * mib);
      const phases: CopyPhaseEvent['phase'][] = [
        'inspect',
        'reserve',
        'transfer',
        'flush',
        'verify',
        'publish',
      ];
      for (const phase of phases) {
        const job = start(at('source'), at(`copy-${phase}`), {
          verify: true,
          onPhase: (event) => {
            if (event.phase === phase) job.cancel();
          },
        });
        const isDone = await job.done.then(
          () => true,
          (error: { code: string }) => (expect(error.code).toBe('cancelled'), false),
        );
        // The phase arrives by message, so the cancel may be late. Half a file is never allowed.
        expect(existsSync(at(`copy-${phase}`))).toBe(isDone);
        if (isDone) expectEqualFiles(at('source'), at(`copy-${phase}`));
        expect(hiddenFilesIn(dir())).toEqual([]);
      }
    });

    it('stops on a cancel in mid-transfer and on an aborted signal before the start', async () => {
      writeRandom(at('long'), 4 * mib);
      const job = start(at('long'), at('cut'), { bytesPerSecond: 100 * kib });
      await waitUntilTransferring(job);
      const cancelledMs = performance.now();
      job.cancel();
      await expectFailure(job, 'cancelled');
      expect(performance.now() - cancelledMs).toBeLessThan(1000);
      const aborted = start(at('long'), at('cut'), { signal: AbortSignal.abort() });
      await expectFailure(aborted, 'cancelled');
      expect(readdirSync(dir()).filter((name) => name === 'cut' || name.startsWith('.'))).toEqual([]);
    });

    it('pauses between two windows, copies no bytes while paused, and resumes', async () => {
      writeRandom(at('pausing'), 4 * mib);
      const job = start(at('pausing'), at('paused'), { bytesPerSecond: mib });
      await waitUntilTransferring(job);
      job.pause();
      await waitFor('it is paused', () => job.progress().state === 'paused');
      const before = job.progress();
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(job.progress().doneBytes).toBe(before.doneBytes);
      expect(job.progress().durableBytes).toBe(before.doneBytes);
      job.setLimit(null);
      job.resume();
      await job.done;
      expectEqualFiles(at('pausing'), at('paused'));
    });

    it('can be cancelled and suspended while paused', async () => {
      writeRandom(at('stopped'), 2 * mib);
      for (const code of ['cancelled', 'suspended'] as const) {
        const job = start(at('stopped'), at('stopped-copy'), { id: 'stopped', bytesPerSecond: 512 * kib });
        await waitUntilTransferring(job);
        job.pause();
        await waitFor('it is paused', () => job.progress().state === 'paused');
        const atMs = performance.now();
        if (code === 'cancelled') job.cancel();
        else job.suspend();
        await expectFailure(job, code);
        expect(performance.now() - atMs).toBeLessThan(1000);
      }
      await start(at('stopped'), at('stopped-copy'), { id: 'stopped' }).done;
      expectEqualFiles(at('stopped'), at('stopped-copy'));
      expect(hiddenFilesIn(dir())).toEqual([]);
    });

    it('keeps its limit, and applies a new limit at once', async () => {
      writeRandom(at('slow'), 4 * mib);
      const startedMs = performance.now();
      await start(at('slow'), at('slow-copy'), { bytesPerSecond: 8 * mib }).done;
      // The first window is a quarter of the bytes allowed per second, so 4 MiB take at least 250 ms.
      expect(performance.now() - startedMs).toBeGreaterThan(240);
      const job = start(at('slow'), at('slow-copy-2'), { bytesPerSecond: 10 * kib });
      await waitUntilTransferring(job);
      job.setLimit(null);
      const freedMs = performance.now();
      await job.done;
      expect(performance.now() - freedMs).toBeLessThan(5000);
    });

    it('reports progress that never decreases and never exceeds the copied bytes', async () => {
      writeRandom(at('watched'), 6 * mib);
      const checkpoint = { bytes: mib };
      const job = start(at('watched'), at('watched-copy'), { bytesPerSecond: 8 * mib, checkpoint });
      const seen: CopyProgress[] = [];
      while (job.progress().state !== 'ended') {
        seen.push(job.progress());
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await job.done;
      const moving = seen.filter(({ phase }) => phase === 'transfer');
      expect(moving.length).toBeGreaterThan(2);
      for (const [index, now] of moving.entries()) {
        expect(now.totalBytes).toBe(6 * mib);
        expect(now.durableBytes).toBeLessThanOrEqual(now.doneBytes);
        expect(now.doneBytes).toBeLessThanOrEqual(6 * mib);
        expect(now.doneBytes).toBeGreaterThanOrEqual(moving[index - 1]?.doneBytes ?? 0);
        expect(now.durableBytes).toBeGreaterThanOrEqual(moving[index - 1]?.durableBytes ?? 0);
      }
      expect(moving.some(({ durableBytes }) => durableBytes > 0)).toBe(true);
      expect(job.progress()).toMatchObject({ phase: 'publish', state: 'ended', writtenBytes: 6 * mib });
    });
  });
}
