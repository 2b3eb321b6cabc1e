import { ApiError } from '@wcc/api';
import { createOperationId } from '@wcc/progress';
import { startCopy } from '@wcc/copy';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { admin, MiB, startDomain, writeRandom } from '../images/images.testkit.ts';
import type { DomainUnderTest } from '../images/images.testkit.ts';
import { startWork } from './work.ts';

vi.setConfig({ testTimeout: 120_000 });
let domain: DomainUnderTest;
/** What the disk shows when the work fails; null: it does not answer. */
let found: boolean | null;
/** What the disk shows at a later look. */
let foundLater: boolean;

beforeEach(async () => {
  [found, foundLater] = [false, false];
  domain = await startDomain({
    async prepare({ operations }) {
      operations.register({
        name: 'lose_pool',
        resumesAfterFailure: true,
        phases: () => ['write'],
        start: async (_operation, hooks) =>
          startWork(hooks, () => Promise.reject(new ApiError('pool_unavailable'))),
        reconcile: async () => (foundLater ? 'published' : 'nothing'),
        async isPublished() {
          if (found === null) throw Object.assign(new Error('EIO: stat'), { code: 'EIO' });
          return found;
        },
        complete: async () => ({ statements: [], result: { kind: 'image', id: 1 }, target: null }),
        retry: () => Promise.reject(new Error('not repeated')),
      });
    },
  });
});
afterEach(() => domain.close());

/** Loses the pool for as often as the operation waits for it. */
async function losePool(times: number): Promise<string> {
  const id = createOperationId();
  await domain.operations.accept({
    id,
    action: 'lose_pool',
    principal: admin,
    subject: { kind: 'image', id: null, name: 'a.raw' },
    target: null,
    input: { poolId: domain.poolId() },
    names: [],
    reservedBytes: 0,
    retryOf: null,
    statements: [],
  });
  for (let loss = 1; loss < times; loss += 1) {
    await domain.wait(id, 'interrupted');
    await domain.operations.resume(id, admin);
  }
  return id;
}

describe('D2: the end of an operation whose pool is lost for the fourth time', () => {
  it('D2: is read from the disk', async () => {
    found = true;
    const ended = await domain.wait(await losePool(4), 'succeeded');
    expect(ended).toMatchObject({ error: null, warnings: ['failed_after_publishing'] });
  });

  it('D2: is a failure if the disk has no result', async () => {
    const { error } = await domain.wait(await losePool(4), 'failed');
    expect(error?.code).toBe('pool_unavailable');
  });

  it('D2: is unknown while the disk does not answer, until a person resumes the operation', async () => {
    found = null;
    const id = await losePool(4);
    await expect
      .poll(async () => (await domain.operations.snapshot(id))?.stateReason?.code)
      .toBe('not_registered');
    foundLater = true;
    await domain.operations.resume(id, admin);
    await domain.wait(id, 'succeeded');
  });
});

it('D2: an interrupted operation is not resumed while its pool is gone', async () => {
  const id = await losePool(1);
  const snapshot = await domain.wait(id, 'interrupted');
  expect(domain.operations.may(snapshot, admin)).toMatchObject({ resume: true, pause: false });
  await rename(domain.poolDir, `${domain.poolDir}.away`);
  await expect(domain.rescan()).rejects.toMatchObject({ code: 'pool_unavailable' });
  await expect(domain.operations.resume(id, admin)).rejects.toMatchObject({ code: 'pool_unavailable' });
  await rename(`${domain.poolDir}.away`, domain.poolDir);
});

it('D2: the file that a cancelled operation has published is registered for its owner', async () => {
  await writeRandom(join(domain.poolDir, 'a.raw'), 4 * MiB);
  await domain.rescan();
  const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 65_536 });
  await domain.operations.cancel(id, admin);
  await domain.wait(id, 'cancelled');
  // A crash between the publication and its registration leaves the file and its sidecar.
  const copy = { id, tag: domain.poolId(), keepSidecar: true };
  await startCopy(join(domain.poolDir, 'a.raw'), join(domain.poolDir, 'b.raw'), copy).done;
  await domain.stop();
  domain = await startDomain({ home: domain.home });
  expect(await domain.image('b.raw')).toMatchObject({ owner: admin.userId, copiedFrom: 100 });
  expect(await domain.litter()).toEqual([]);
  expect((await domain.operations.snapshot(id))?.state).toBe('cancelled');
});
