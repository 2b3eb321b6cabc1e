import { createOperationId } from '@wcc/progress';
import { afterEach, expect, it } from 'vitest';
import { admin, startDomain } from '../images/images.testkit.ts';
import type { DomainUnderTest } from '../images/images.testkit.ts';
import type { Store } from '../storage/store.ts';
import { startWork } from './work.ts';
import type { Progress } from './work.ts';

let domain: DomainUnderTest;
/** Ends the work. */
let end: () => void;
afterEach(async () => {
  end();
  await domain.close();
});

it('D21: phases whose commit fails are recorded later, while the work runs', async () => {
  const ended = new Promise<void>((resolve) => (end = resolve));
  let progress: Progress | undefined;
  let failures = 0;
  const wrapStore = (store: Store): Store => ({
    ...store,
    async write(batch) {
      if (failures === 0) return store.write(batch);
      failures -= 1;
      throw new Error('the store fails');
    },
  });
  domain = await startDomain({
    wrapStore,
    async prepare({ operations }) {
      operations.register({
        name: 'write_twice',
        phases: () => ['write', 'check'],
        start: async (_operation, hooks) =>
          startWork(hooks, async (given) => {
            progress = given;
            await ended;
            return {};
          }),
        reconcile: async () => 'nothing',
        isPublished: async () => false,
        complete: async () => ({ statements: [], result: { kind: 'image', id: 1 }, target: null }),
        retry: () => Promise.reject(new Error('not repeated')),
      });
    },
  });
  const id = createOperationId();
  await domain.operations.accept({
    id,
    action: 'write_twice',
    principal: admin,
    subject: { kind: 'image', id: null, name: 'a.raw' },
    target: null,
    input: { poolId: domain.poolId() },
    names: [],
    reservedBytes: 0,
    retryOf: null,
    statements: [],
  });
  await domain.wait(id, 'running');
  await expect.poll(() => progress).toBeDefined();
  failures = 1;
  progress?.startPhase('write');
  await expect.poll(() => domain.errors.map(({ stage }) => stage)).toEqual([`operation ${id}: phase`]);
  progress?.startPhase('check');
  const phases = async (): Promise<string[]> => {
    const log = await domain.operations.log(id, admin);
    return log.filter(({ kind }) => kind === 'phase').map(({ text }) => text);
  };
  await expect.poll(phases, { timeout: 4_000 }).toEqual(['write', 'check']);
  expect(await domain.operations.snapshot(id)).toMatchObject({ state: 'running', phaseIndex: 1 });
  end();
  await domain.wait(id, 'succeeded');
});
