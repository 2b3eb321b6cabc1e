import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { copyFile, CopyError, startCopy } from '@wcc/copy';
import type { CopyProgress } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import {
  expectEqualFiles,
  mib,
  useDirectory,
  waitUntilTransferring,
  writeRandom,
} from '../testkit/files.testkit.ts';

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => new Error('the copy succeeded'),
    (error: unknown) => error,
  );

describe('copyFile', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);

  it('resolves with the result when the file has its name', async () => {
    writeRandom(at('source'), mib);
    const result = await copyFile(at('source'), at('copy'));
    expect(result.bytes).toMatchObject({ virtual: mib, data: mib });
    expectEqualFiles(at('source'), at('copy'));
  });

  it('rejects for a missing source, and the stack names the line of the call', async () => {
    const error = await rejection((async () => await copyFile('/nope', at('never')))());
    expect(error).toBeInstanceOf(CopyError);
    expect(error).toMatchObject({ code: 'not_found', path: '/nope', name: 'CopyError' });
    expect((error as Error).stack).toContain('copy-file.test.ts');
  });

  it('accepts file: URLs as source and destination', async () => {
    writeRandom(at('a file %'), 10);
    await copyFile(pathToFileURL(at('a file %')), pathToFileURL(at('copy by URL')));
    expectEqualFiles(at('a file %'), at('copy by URL'));
  });

  it('calls onProgress while it copies, and once more before it resolves', async () => {
    writeRandom(at('reported'), 2 * mib);
    const reports: CopyProgress[] = [];
    const options = { method: 'copy', bytesPerSecond: 4 * mib } as const;
    await copyFile(at('reported'), at('reported-copy'), {
      ...options,
      onProgress: (progress) => reports.push(progress),
    });
    expect(reports.length).toBeGreaterThan(2);
    const written = reports.map(({ writtenBytes }) => writtenBytes);
    expect(written).toEqual(written.toSorted((one, other) => one - other));
    expect(reports.at(-1)).toMatchObject({ state: 'ended', writtenBytes: 2 * mib, dataBytes: 2 * mib });
    const count = reports.length;
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(reports).toHaveLength(count);
  });

  it.each([
    ['onProgress', 'at once'],
    ['onPhase', 'at once'],
    ['onProgress', 'later'],
    ['onPhase', 'later'],
  ] as const)('rejects with the error that %s throws %s, and leaves no file', async (name, when) => {
    writeRandom(at('thrown'), 4 * mib);
    const mine = new Error('mine');
    const options = { method: 'copy', bytesPerSecond: mib } as const;
    const copied = copyFile(at('thrown'), at(`thrown-${name}`), {
      ...options,
      [name]: () => {
        if (when === 'later') return Promise.reject(mine);
        throw mine;
      },
    });
    expect(await rejection(copied)).toBe(mine);
    expect(
      readdirSync(dir()).filter((file) => file.startsWith('.wcc-') || file === `thrown-${name}`),
    ).toEqual([]);
  });

  it('rejects with an AbortError whose cause is the reason of the signal', async () => {
    writeRandom(at('aborted'), 4 * mib);
    const reason = new Error('the user left');
    const stop = new AbortController();
    const job = startCopy(at('aborted'), at('aborted-copy'), {
      method: 'copy',
      bytesPerSecond: mib,
      signal: stop.signal,
    });
    await waitUntilTransferring(job);
    stop.abort(reason);
    const error = await rejection(job.done);
    expect(error).toBeInstanceOf(CopyError);
    expect(error).toMatchObject({ name: 'AbortError', code: 'cancelled', cause: reason });
    const early = await rejection(
      copyFile(at('aborted'), at('early'), { signal: AbortSignal.abort(reason) }),
    );
    expect(early).toMatchObject({ name: 'AbortError', code: 'cancelled', cause: reason });
    const late = await rejection(
      copyFile(at('aborted'), at('late'), {
        method: 'copy',
        bytesPerSecond: mib,
        signal: AbortSignal.timeout(50),
      }),
    );
    expect(late).toMatchObject({ name: 'AbortError', cause: { name: 'TimeoutError' } });
  });

  it('keeps the name CopyError when cancel() stopped the copy', async () => {
    writeRandom(at('cancelled'), 4 * mib);
    const job = startCopy(at('cancelled'), at('cancelled-copy'), { method: 'copy', bytesPerSecond: mib });
    job.cancel();
    expect(await rejection(job.done)).toMatchObject({ name: 'CopyError', code: 'cancelled' });
  });
});

describe('for await over a job', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);

  it('for await yields the latest progress until the copy ends', async () => {
    writeRandom(at('looped'), 2 * mib);
    const job = startCopy(at('looped'), at('looped-copy'), { method: 'copy', bytesPerSecond: 4 * mib });
    const seen: CopyProgress[] = [];
    for await (const progress of job) seen.push(progress);
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.at(-1)).toMatchObject({ state: 'ended', writtenBytes: 2 * mib });
    expect((await job.done).bytes.written).toBe(2 * mib);
  });

  it('for await gives a slow loop the progress of now, not a backlog', async () => {
    writeRandom(at('slow'), 2 * mib);
    const job = startCopy(at('slow'), at('slow-copy'), { method: 'copy', bytesPerSecond: 8 * mib });
    const seen: CopyProgress[] = [];
    for await (const progress of job) {
      seen.push(progress);
      await job.done;
    }
    expect(seen).toHaveLength(2);
    expect(seen[1]?.state).toBe('ended');
  });

  it('for await throws the failure of the copy, and two loops both end', async () => {
    writeRandom(at('failing'), 4 * mib);
    const job = startCopy(at('failing'), at('failing-copy'), { method: 'copy', bytesPerSecond: mib });
    const loop = async (): Promise<void> => {
      for await (const { phase } of job) if (phase === 'transfer') job.suspend();
    };
    const ends = await Promise.all([rejection(loop()), rejection(loop())]);
    expect(ends).toMatchObject([{ code: 'suspended' }, { code: 'suspended' }]);
  });

  it('leaving a loop does not stop the copy', async () => {
    writeRandom(at('left'), mib);
    const job = startCopy(at('left'), at('left-copy'));
    for await (const _ of job) break;
    await job.done;
    expect(readFileSync(at('left-copy'))).toHaveLength(mib);
  });
});
