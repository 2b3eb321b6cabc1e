import { convertImageRequest, copyImageRequest } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../access/principal.ts';
import type { Store } from '../storage/store.ts';
import { admin, makePrincipal, MiB, startDomain, writeRandom } from './images.testkit.ts';
import type { DomainUnderTest } from './images.testkit.ts';

/** A retry of each action checks what its first request checked, with the rights of now. */
const [ann, bob] = [makePrincipal('ann'), makePrincipal('bob')];
/** Bob may control operations of Ann, but not see her machines. */
const granted = (_id: string, userId: string): 'control' | null => (userId === bob.userId ? 'control' : null);

let domain: DomainUnderTest;
let id: number;
/** Called after every write to the store, before its caller continues. */
let afterWrite: () => Promise<void>;
const path = (name: string): string => join(domain.poolDir, name);

beforeEach(async () => {
  afterWrite = () => Promise.resolve();
  domain = await startDomain({ maxRunningPerPool: 1, granted, wrapStore });
  for (const name of ['busy.raw', 'base.raw']) await writeRandom(path(name), MiB);
  await domain.rescan();
  await domain.wait((await domain.copy('base.raw', 'disk.raw', { principal: ann })).id, 'succeeded');
  ({ id } = await domain.image('disk.raw'));
  // Each owner's slow copy has the only slot, so that later operations are queued and can be cancelled.
  for (const principal of [ann, bob, admin]) {
    const slow = { bytesPerSecond: 1024, principal };
    await domain.wait((await domain.copy('busy.raw', `slow-${principal.userId}.raw`, slow)).id, 'running');
  }
});
afterEach(async () => {
  await domain.close();
});

function wrapStore(store: Store): Store {
  const write: Store['write'] = async (statements) => {
    const result = await store.write(statements);
    await afterWrite();
    return result;
  };
  return { ...store, write };
}

type Order = (principal: Principal) => Promise<Snapshot>;
const key = { idempotencyKey: null };

/** Actions that read an image. */
const reading: Readonly<Record<string, Order>> = {
  copy_vm_image: (principal) => {
    const body = copyImageRequest.parse({ name: 'copied.raw', method: 'copy' });
    return domain.images.copy(principal, { id, body, ...key });
  },
  convert_image: (principal) => {
    const body = convertImageRequest.parse({ name: 'converted.qcow2', format: 'qcow2' });
    return domain.images.convert(principal, { id, body, ...key });
  },
  verify_image: (principal) => domain.images.verify(principal, { id, body: {}, ...key }),
};
/** Actions that need only a right. */
const making: Readonly<Record<string, Order>> = {
  import_image: (principal) => {
    const body = { url: 'https://images.example/a.iso', name: 'imported.iso' };
    return domain.images.importUrl(principal, { body, ...key });
  },
  make_sample_image: (principal) =>
    domain.images.makeSample(principal, { body: { name: 'sample.raw', sizeBytes: MiB }, ...key }),
};

async function cancelled(order: Order, principal: Principal): Promise<string> {
  const accepted = await order(principal);
  await domain.operations.cancel(accepted.id, principal);
  await domain.wait(accepted.id, 'cancelled');
  return accepted.id;
}

/** Makes the image a disk of Ann's machine. */
function giveToMachine(): void {
  const vm = { kind: 'vm' as const, id: 7, name: 'web', owner: ann.userId, isDisk: true };
  domain.images.references.add(() => Promise.resolve(new Map([[id, [vm]]])));
}

/** The code of the refusal, which must not have created or reserved anything. */
async function refusalOf(operationId: string, principal: Principal): Promise<string> {
  const traces = async (): Promise<unknown[]> => {
    const { db } = domain.store;
    return Promise.all([
      db.selectFrom('operations').select('id').execute(),
      db.selectFrom('nameReservations').selectAll().execute(),
      db.selectFrom('counters').selectAll().execute(),
    ]);
  };
  const before = await traces();
  const error = await domain.operations.retry(operationId, principal, null).then(
    () => new Error('It was accepted.'),
    (caught: unknown) => caught as Error,
  );
  expect(await traces()).toEqual(before);
  return 'code' in error ? String(error.code) : error.message;
}

async function expectRetried(operationId: string, principal: Principal): Promise<void> {
  const again = await domain.operations.retry(operationId, principal, null);
  expect(again).toMatchObject({ retryOf: operationId, owner: principal.userId, state: 'queued' });
  await domain.operations.cancel(again.id, principal);
  await domain.wait(again.id, 'cancelled');
}

const asViewer = (principal: Principal): Principal => ({ ...principal, role: 'viewer' });

describe.each(Object.entries(reading))('a retry of %s', (action, order) => {
  it('a user who may not see the source gets not_found', async () => {
    const operationId = await cancelled(order, ann);
    expect((await domain.operations.get(operationId, bob)).action).toBe(action);
    // Every user who sees an image may read it.
    await expectRetried(operationId, bob);
    giveToMachine();
    expect(await refusalOf(operationId, bob)).toBe('not_found');
    for (const principal of [ann, admin]) await expectRetried(operationId, principal);
  });

  it('a user who has lost the right is refused', async () => {
    giveToMachine();
    const operationId = await cancelled(order, { ...bob, role: 'admin' });
    expect(await refusalOf(operationId, bob)).toBe('not_found');
    expect(await refusalOf(operationId, asViewer(bob))).not.toBe('It was accepted.');
    await expectRetried(operationId, { ...bob, role: 'admin' });
  });
});

describe.each(Object.entries(making))('a retry of %s', (action, order) => {
  it('a user who has lost the right is refused', async () => {
    const operationId = await cancelled(order, ann);
    expect((await domain.operations.get(operationId, ann)).action).toBe(action);
    for (const role of ['viewer', 'operator'] as const)
      expect(await refusalOf(operationId, { ...makePrincipal('eve'), role })).toBe('not_found');
    expect(await refusalOf(operationId, asViewer(ann))).not.toBe('It was accepted.');
    await expectRetried(operationId, bob);
  });
});

it('a retry of delete_image by a user who may not see the image gets not_found', async () => {
  await writeFile(path('other'), 'another file');
  let replacing: Promise<void> | undefined;
  // Accepted and not started.
  afterWrite = async () => {
    const { items } = await domain.operations.list({ action: 'delete_image', limit: 1 }, admin);
    if (items.length > 0) await (replacing ??= rename(path('other'), path('disk.raw')));
  };
  const { id: operationId } = await domain.images.remove(ann, { id, ...key });
  await domain.wait(operationId, 'failed');
  expect(await refusalOf(operationId, bob)).toBe('forbidden');
  giveToMachine();
  expect(await refusalOf(operationId, bob)).toBe('not_found');
  expect(await refusalOf(operationId, ann)).toBe('image_in_use');
});
