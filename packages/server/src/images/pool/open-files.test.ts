import { stat } from 'node:fs/promises';
import type * as files from 'node:fs/promises';
import { join } from 'node:path';
import { lockFile } from '@wcc/copy';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { admin, MiB, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof files>();
  return { ...actual, stat: vi.fn<typeof files.stat>(actual.stat) };
});

describe('D18: too many open files', () => {
  let domain: DomainUnderTest;

  beforeEach(async () => {
    domain = await startDomain();
    await writeRandom(join(domain.poolDir, 'a.raw'), 2 * MiB);
    await domain.rescan();
  });
  afterEach(async () => {
    await exhaust(false);
    await domain.close();
  });

  async function exhaust(exhausted: boolean, code = 'EMFILE'): Promise<void> {
    const actual = await vi.importActual<typeof files>('node:fs/promises');
    const refusal = Object.assign(new Error(`${code}: stat`), { code });
    vi.mocked(stat).mockReset();
    if (exhausted) vi.mocked(stat).mockRejectedValue(refusal);
    else vi.mocked(stat).mockImplementation(actual.stat);
  }

  it.each(['EMFILE', 'ENFILE', 'ENOMEM'])(
    '%s leaves a pool available and locked, and is named',
    async (code) => {
      await exhaust(true, code);
      await expect(domain.rescan()).rejects.toMatchObject({
        code: 'resources',
        message: 'The server has too many open files, or too little memory.',
      });
      await exhaust(false);
      expect(domain.pools.all()).toMatchObject([{ reason: null }]);
      expect(() => lockFile(join(domain.poolDir, '.wcc-pool.lock'))).toThrow(/lock/);
      expect(await domain.rescan()).toMatchObject({ missing: 0 });
    },
  );

  it('pauses a copy that cannot start now, which resumes automatically', async () => {
    const running = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: MiB });
    await domain.wait(running.id, 'running');
    await domain.operations.pause(running.id, admin);
    await domain.stop();
    domain = await startDomain({ home: domain.home });
    await exhaust(true);
    await domain.operations.resume(running.id, admin);
    const paused = await domain.wait(running.id, 'paused');
    await expect
      .poll(async () => (await domain.operations.snapshot(running.id))?.stateReason?.code)
      .toBe('resources');
    expect(paused.error).toBeNull();
    await exhaust(false);
    await domain.wait(running.id, 'running', 'succeeded');
    expect((await domain.wait(running.id, 'succeeded')).error).toBeNull();
  });
});
