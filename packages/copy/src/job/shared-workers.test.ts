import { closeSync, openSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { copyFile, hashFile, inspectFile, support } from '@wcc/copy';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { expectEqualFiles, kib, useDirectory, writeRandom } from '../testkit/files.testkit.ts';

/** More requests than workers start for them. */
const many = 2 * Math.max(4, availableParallelism());

describe('D11: long work leaves workers to short work', { timeout: 60_000 }, () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);
  const extents = 15_000;
  beforeAll(() => {
    writeRandom(at('short'), kib);
    const fd = openSync(at('fragmented'), 'w');
    const page = Buffer.alloc(4 * kib, 1);
    for (let index = 0; index < extents; index += 1) writeSync(fd, page, 0, page.length, index * 8 * kib);
    closeSync(fd);
    writeFileSync(at('huge'), '');
    truncateSync(at('huge'), 1024 ** 4);
  });

  it.skipIf(!support().available)(
    'a short inspection ends before the many that count extents, and their counts are exact',
    async () => {
      const ends: string[] = [];
      const long = Array.from({ length: many }, async () => {
        const facts = await inspectFile(at('fragmented'));
        ends.push('long');
        return facts;
      });
      await inspectFile(at('short'));
      ends.push('short');
      for (const { extentCount, dataBytes } of await Promise.all(long))
        expect({ extentCount, dataBytes }).toEqual({ extentCount: extents, dataBytes: extents * 4 * kib });
      expect(ends[0]).toBe('short');
    },
  );

  it.skipIf(!support().available)('an inspection stops when its signal is aborted', async () => {
    const stopping = new AbortController();
    const long = Array.from({ length: many }, () =>
      inspectFile(at('fragmented'), { signal: stopping.signal }).catch((error: unknown) => error),
    );
    const reason = new Error('the client has gone');
    stopping.abort(reason);
    for (const error of await Promise.all(long))
      expect(error).toMatchObject({ code: 'cancelled', name: 'AbortError', cause: reason });
    await expect(inspectFile(at('short'), { signal: stopping.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect((await inspectFile(at('short'))).sizeBytes).toBe(kib);
  });

  it.skipIf(!support().available)('an inspection ends although its file grows all the time', async () => {
    let sizeBytes = statSync(at('fragmented')).size;
    const growing = setInterval(() => truncateSync(at('fragmented'), (sizeBytes += kib)), 1);
    onTestFinished(() => clearInterval(growing));
    const facts = await inspectFile(at('fragmented'), { signal: AbortSignal.timeout(20_000) });
    expect(facts).toMatchObject({ extentCount: extents, dataBytes: extents * 4 * kib });
  });

  it('an inspection and a copy run while many files are hashed', async () => {
    const stopping = new AbortController();
    const hashes = Array.from({ length: many }, () =>
      hashFile(at('huge'), { signal: stopping.signal }).catch((error: unknown) => error),
    );
    expect((await inspectFile(at('short'))).sizeBytes).toBe(kib);
    await copyFile(at('short'), at('copy'));
    expectEqualFiles(at('short'), at('copy'));
    stopping.abort();
    for (const error of await Promise.all(hashes)) expect(error).toMatchObject({ code: 'cancelled' });
  });
});
