import {
  existsSync,
  readdirSync,
  readlinkSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { startCopy, support } from '@wcc/copy';
import type { CopyPhaseEvent } from '@wcc/copy';
import { beforeAll, describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import {
  expectEqualFiles,
  expectFailure,
  hiddenFilesIn,
  kib,
  mib,
  useDirectory,
  waitFor,
  waitUntilTransferring,
  writeRandom,
} from '../testkit/files.testkit.ts';

const natives = support().available ? (['auto', 'off'] as const) : (['off'] as const);

/** Null for a descriptor that was closed since the list was read. */
function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

describe('D11: copies in a long pause', { timeout: 60_000 }, () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);
  beforeAll(() => {
    writeRandom(at('source'), 8 * mib);
    writeRandom(at('short'), 64 * kib);
  });

  it('leave their threads, however many they are', async () => {
    const script = `
      import { readdirSync } from 'node:fs';
      const [source, directory] = ${JSON.stringify([at('short'), dir()])};
      const threads = () => readdirSync('/proc/self/task').length;
      await copy.preload();
      const before = threads();
      const jobs = Array.from({ length: 68 }, (_, index) => {
        const job = copy.startCopy(source, directory + '/many-' + index, { method: 'copy', durable: false });
        job.pause();
        return job;
      });
      const states = () => jobs.filter((job) => job.progress().state === 'paused').length;
      while (states() < jobs.length || threads() > before)
        await new Promise((resolve) => setTimeout(resolve, 20));
      for (const job of jobs) job.resume();
      await Promise.all(jobs.map(({ done }) => done));
      console.log(states(), threads() > 0);`;
    const { stdout, stderr } = await startChild(script).ended;
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe('0 true');
    for (let index = 0; index < 68; index += 1) {
      expectEqualFiles(at('short'), at(`many-${index}`));
      rmSync(at(`many-${index}`));
    }
  });

  /** Starts a copy, and pauses it in its transfer until it has left its thread and closed its partial. */
  const parkCopy = async (
    id: string,
    options: { native: 'auto' | 'off'; durable?: boolean; keepPartial?: boolean },
  ): Promise<{ job: ReturnType<typeof startCopy>; phases: CopyPhaseEvent['phase'][] }> => {
    const phases: CopyPhaseEvent['phase'][] = [];
    const job = startCopy(at('source'), at(id), {
      id,
      method: 'copy',
      bytesPerSecond: 8 * mib,
      onPhase: ({ phase }) => phases.push(phase),
      ...options,
    });
    await waitUntilTransferring(job);
    job.pause();
    await waitFor('the partial is closed', () => existsSync(at(`.wcc-${id}.json`)) && !isOpen(id), 30_000);
    expect(job.progress().state).toBe('paused');
    return { job, phases };
  };
  const openPaths = (): (string | null)[] =>
    readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`));
  const isOpen = (id: string): boolean => openPaths().includes(at(`.wcc-${id}.partial`));
  const isDirectoryOpen = (): boolean => openPaths().includes(dir());

  it.each(natives.flatMap((native) => [true, false].map((durable) => ({ native, durable }))))(
    'continue where they were, with one entry for each phase: %o',
    async ({ native, durable }) => {
      const { job, phases } = await parkCopy('continued', { native, durable });
      const { doneBytes } = job.progress();
      expect(doneBytes).toBeGreaterThan(0);
      job.setLimit(null);
      job.resume();
      const result = await job.done;
      expect(result).toMatchObject({ resumed: false, bytes: { written: 8 * mib } });
      expect(result.elapsedMs).toBeGreaterThan(1000);
      expect(job.facts()).toMatchObject({ resumedAtBytes: null, restartedBecause: null });
      expect(phases).toEqual(['inspect', 'reserve', 'transfer', 'flush', 'publish']);
      expect(result.phases.map(({ name }) => name)).toEqual(phases);
      expectEqualFiles(at('source'), at('continued'));
      expect(hiddenFilesIn(dir())).toEqual([]);
      rmSync(at('continued'));
    },
  );

  it.each([true, false])(
    'resume where they were after a second pause that begins before they continue, durable %s',
    async (durable) => {
      const { job, phases } = await parkCopy('twice', { native: 'auto', durable });
      const { doneBytes } = job.progress();
      job.setLimit(null);
      job.resume();
      while (job.progress().state === 'paused') await Promise.resolve();
      job.pause();
      await waitFor('the second pause begins', () => job.progress().state === 'paused');
      await waitFor('no directory is open', () => !isDirectoryOpen());
      expect(job.progress().doneBytes).toBe(doneBytes);
      job.resume();
      const result = await job.done;
      expect(result).toMatchObject({ resumed: false, bytes: { written: 8 * mib } });
      expect(result.elapsedMs).toBeGreaterThan(2000);
      expect(phases).toEqual(['inspect', 'reserve', 'transfer', 'flush', 'publish']);
      expect(result.phases.map(({ name }) => name)).toEqual(phases);
      expectEqualFiles(at('source'), at('twice'));
      expect(hiddenFilesIn(dir())).toEqual([]);
      rmSync(at('twice'));
    },
  );

  it.each(natives)('can be cancelled, and leave no file, kernel calls %s', async (native) => {
    const { job } = await parkCopy('cancelled', { native, keepPartial: true });
    job.cancel();
    await expectFailure(job, 'cancelled');
    expect(hiddenFilesIn(dir())).toEqual([]);
  });

  it.each(natives)('can be suspended, and resumed by another copy, kernel calls %s', async (native) => {
    const { job } = await parkCopy('suspended', { native });
    job.suspend();
    expect((await expectFailure(job, 'suspended')).resumable).toBe(true);
    const { resumed } = await startCopy(at('source'), at('suspended'), { id: 'suspended', native }).done;
    expect(resumed).toBe(true);
    expectEqualFiles(at('source'), at('suspended'));
    rmSync(at('suspended'));
  });

  it('fail if the source was rewritten, and publish nothing', async () => {
    const { job } = await parkCopy('changed', { native: 'auto' });
    utimesSync(at('source'), new Date(), new Date(Date.now() + 5000));
    job.resume();
    await expectFailure(job, 'source_changed');
    expect(readdirSync(dir()).filter((name) => name.includes('changed'))).toEqual([]);
  });

  it('fail if the partial was removed or replaced, and never begin again', async () => {
    const gone = await parkCopy('gone', { native: 'auto' });
    unlinkSync(at('.wcc-gone.partial'));
    gone.job.resume();
    await expectFailure(gone.job, 'not_found');
    const taken = await parkCopy('taken', { native: 'auto' });
    unlinkSync(at('.wcc-taken.partial'));
    writeFileSync(at('.wcc-taken.partial'), 'of another program');
    taken.job.resume();
    await expectFailure(taken.job, 'destination_changed');
  });

  it('verify the rest of a copy after a pause in its verification', async () => {
    writeRandom(at('large'), 96 * mib);
    const phases: CopyPhaseEvent['phase'][] = [];
    const job = startCopy(at('large'), at('verified'), {
      id: 'verified',
      method: 'copy',
      verify: true,
      onPhase: ({ phase }) => phases.push(phase),
    });
    await waitFor(
      'the copy is compared',
      () => job.progress().phase === 'verify' && job.progress().doneBytes > 0,
      30_000,
    );
    job.pause();
    await waitFor(
      'the partial is closed',
      () => existsSync(at('.wcc-verified.json')) && !isOpen('verified'),
      30_000,
    );
    const { doneBytes } = job.progress();
    expect(doneBytes).toBeGreaterThan(0);
    expect(doneBytes).toBeLessThan(96 * mib);
    job.resume();
    const { phases: measured } = await job.done;
    expect(phases).toEqual(['inspect', 'reserve', 'transfer', 'flush', 'verify', 'publish']);
    expect(measured.map(({ name }) => name)).toEqual(phases);
    expectEqualFiles(at('large'), at('verified'));
  });
});
