import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeRandomImage, MiB, sha256 } from '../kit/images.ts';
import { loopMountSkipReason, fillDisk, withLoopFileSystem } from '../kit/loop-mount.ts';
import { currentPhase, findOrphans, registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

const refusal = loopMountSkipReason();
if (refusal !== null) console.log(`Skipped, full disk: ${refusal}.`);

async function onSmallDisk(use: (server: TestServer) => Promise<void>): Promise<void> {
  await withLoopFileSystem('ext4', 256 * MiB, async (mountPoint) => {
    const server = await startServer({
      poolDir: join(mountPoint, 'pool'),
      args: ['--free-space-floor', '0'],
    });
    try {
      await use(server);
    } finally {
      await server.close();
    }
  });
}

describe.skipIf(refusal !== null)('a full disk', () => {
  it('a copy that does not fit is refused before the first byte, with the required and free bytes', async () => {
    expect.hasAssertions();
    await onSmallDisk(async (server) => {
      await makeRandomImage(join(server.poolDir, 'source.raw'), 150 * MiB);
      const image = await registerImage(server, 'source.raw');
      const startedAt = performance.now();
      const problem: unknown = await server.api
        .copyImage(image.id, { name: 'copy.raw' })
        .catch((error) => error);
      console.log(`refused in ${Math.round(performance.now() - startedAt)} ms`);
      expect(problem).toMatchObject({ status: 507, code: 'no_space', hint: expect.any(String) as string });
      expect((problem as Error).message).toMatch(/150.* MiB.*free|150\.0 MiB/);
      expect(await findOrphans(server.poolDir)).toEqual([]);
      expect((await server.api.operations()).items).toEqual([]);
    });
  });

  it('the same free space is never reserved for two copies', async () => {
    expect.hasAssertions();
    await onSmallDisk(async (server) => {
      await makeRandomImage(join(server.poolDir, 'source.raw'), 80 * MiB);
      const image = await registerImage(server, 'source.raw');
      const attempts = await Promise.allSettled(
        ['a.raw', 'b.raw', 'c.raw'].map((name) =>
          server.api.copyImage(image.id, { name, bytesPerSecond: 40 * MiB }),
        ),
      );
      const accepted = attempts.filter((attempt) => attempt.status === 'fulfilled');
      expect(accepted).toHaveLength(1);
      await waitForState(server, accepted[0]!.value.operation.id, { states: ['succeeded'] });
    });
  });

  it('a running copy pauses on a full disk and resumes when space is free', async () => {
    expect.hasAssertions();
    await onSmallDisk(async (server) => {
      const source = join(server.poolDir, 'source.raw');
      await makeRandomImage(source, 96 * MiB);
      const image = await registerImage(server, 'source.raw');
      const { operation } = await server.api.copyImage(image.id, {
        name: 'copy.raw',
        method: 'copy',
        bytesPerSecond: 24 * MiB,
      });
      await until(async () => (currentPhase(await server.api.operation(operation.id))?.done ?? 0) > 8 * MiB, {
        what: 'the copy to write data',
      });
      const junk = join(server.poolDir, '..', 'junk');
      fillDisk(junk, 8 * MiB);
      const paused = await waitForState(server, operation.id, { states: ['paused'] });
      expect(paused.stateReason?.code).toBe('no_space');
      rmSync(junk);
      await waitForState(server, operation.id, { states: ['succeeded'], timeoutMs: 60_000 });
      expect(await sha256(join(server.poolDir, 'copy.raw'))).toBe(await sha256(source));
    });
  });
});
