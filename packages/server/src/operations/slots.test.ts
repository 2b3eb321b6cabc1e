import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createOperationId } from '@wcc/progress';
import { makePrincipal, MiB, startDomain, writeRandom } from '../images/images.testkit.ts';
import type { DomainUnderTest } from '../images/images.testkit.ts';
import { startWork } from './work.ts';

vi.setConfig({ testTimeout: 60_000 });
let domain: DomainUnderTest;
const [ann, bob, carol] = [makePrincipal('ann'), makePrincipal('bob'), makePrincipal('carol')];
beforeEach(async () => {
  domain = await startDomain({
    maxRunningPerPool: 2,
    async prepare({ operations }) {
      operations.register({
        name: 'wait_for_network',
        isNetworkBound: true,
        phases: () => ['connect'],
        start: async (_operation, hooks) =>
          startWork(
            hooks,
            ({ signal }) =>
              new Promise((_resolve, reject) => {
                signal.addEventListener('abort', () => reject(signal.reason as Error));
              }),
            { poolPath: domain.poolDir },
          ),
        complete: async () => ({ statements: [], result: { kind: 'image', id: 1 }, target: null }),
        retry: () => Promise.reject(new Error('not repeated')),
      });
    },
  });
  // At the rate of the slow copies, this takes minutes.
  await writeRandom(join(domain.poolDir, 'a.raw'), 16 * MiB);
  await domain.rescan();
});
afterEach(() => domain.close());

it('SM6: slow copies of one owner in all slots do not keep another owner waiting', async () => {
  const slow = { method: 'copy', bytesPerSecond: 65_536, principal: ann } as const;
  const copies = [];
  for (const name of ['1.raw', '2.raw', '3.raw']) copies.push(await domain.copy('a.raw', name, slow));
  await domain.wait(copies[0]!.id, 'running');
  await domain.wait(copies[1]!.id, 'running');
  const quick = await domain.copy('a.raw', 'of-bob.raw', { method: 'copy', principal: bob });
  await domain.wait(quick.id, 'succeeded');
  expect((await domain.operations.snapshot(copies[2]!.id))?.state).toBe('queued');
});

it('SM6: throttled copies of several owners in all slots do not keep another owner waiting', async () => {
  const slow = { method: 'copy', bytesPerSecond: 65_536 } as const;
  for (const [index, principal] of [ann, carol].entries()) {
    const { id } = await domain.copy('a.raw', `slow${index}.raw`, { ...slow, principal });
    await domain.wait(id, 'running');
  }
  const quick = await domain.copy('a.raw', 'of-bob.raw', { method: 'copy', principal: bob });
  expect(await domain.wait(quick.id, 'succeeded')).toMatchObject({ owner: bob.userId });
});

it('F7: operations that wait for a network take no slot of the disk', async () => {
  for (let index = 0; index < 4; index += 1) {
    const id = createOperationId();
    await domain.operations.accept({
      id,
      action: 'wait_for_network',
      principal: ann,
      subject: { kind: 'image', id: null, name: `net${index}.raw` },
      target: null,
      input: { poolId: domain.poolId() },
      names: [],
      reservedBytes: 0,
      retryOf: null,
      statements: [],
    });
    await domain.wait(id, 'running');
  }
  const copy = await domain.copy('a.raw', 'b.raw', { method: 'copy', principal: ann });
  expect(await domain.wait(copy.id, 'succeeded')).toMatchObject({ result: { kind: 'image' } });
});
