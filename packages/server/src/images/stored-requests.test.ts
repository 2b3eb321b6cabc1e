import { convertImageRequest, copyImageRequest } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import Libsql from 'libsql';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from '../storage/migrations.ts';
import { admin, MiB, sha256, startDomain, writeRandom } from './images.testkit.ts';
import type { DomainUnderTest } from './images.testkit.ts';

/** Inputs that 0.1.0 wrote have no `request`: a migration adds it. */
let domain: DomainUnderTest;
let id: number;
const path = (name: string): string => join(domain.poolDir, name);
const key = { idempotencyKey: null };

beforeEach(async () => {
  domain = await startDomain({ maxRunningPerPool: 1 });
  for (const name of ['busy.raw', 'disk.raw']) await writeRandom(path(name), 2 * MiB);
  await domain.rescan();
  ({ id } = await domain.image('disk.raw'));
});
afterEach(async () => {
  await domain.close();
});

/** Takes the only slot, so that an operation that is accepted next is still queued when it is cancelled. */
async function occupySlot(): Promise<void> {
  await domain.wait((await domain.copy('busy.raw', 'slow.raw', { bytesPerSecond: 1024 })).id, 'running');
}

async function cancelled(accepted: Promise<Snapshot>): Promise<string> {
  const { id: operationId } = await accepted;
  await domain.operations.cancel(operationId, admin);
  await domain.wait(operationId, 'cancelled');
  return operationId;
}

/** Stops, rewrites all inputs to the form of 0.1.0, migrates them as a first start does, and starts again. */
async function upgrade(): Promise<void> {
  await domain.stop();
  const raw = new Libsql(join(domain.home, 'wcc.sqlite'));
  raw.exec(`update operations set input = json_remove(input, '$.request')`);
  for (const statement of migrations.find(({ name }) => name === '0006-stored-requests')?.statements ?? [])
    raw.exec(statement);
  raw.close();
  domain = await startDomain({ home: domain.home, maxRunningPerPool: 1 });
}

async function inputOf(operationId: string): Promise<Record<string, unknown>> {
  const query = domain.store.db.selectFrom('operations').select('input').where('id', '=', operationId);
  return JSON.parse((await query.executeTakeFirstOrThrow()).input) as Record<string, unknown>;
}

const digest = 'a'.repeat(64);
const requests: Readonly<Record<string, () => Promise<Snapshot>>> = {
  copy_vm_image: () => {
    const body = copyImageRequest.parse({
      name: 'b.raw',
      method: 'copy',
      bytesPerSecond: 65_536,
      verify: true,
    });
    return domain.images.copy(admin, { id, body, ...key });
  },
  'copy_vm_image without a limit': () => {
    const body = copyImageRequest.parse({ name: 'b.raw', method: 'auto' });
    return domain.images.copy(admin, { id, body, ...key });
  },
  convert_image: () => {
    const body = convertImageRequest.parse({ name: 'b.qcow2', format: 'qcow2', compress: true });
    return domain.images.convert(admin, { id, body, ...key });
  },
  'verify_image with a digest': () => domain.images.verify(admin, { id, body: { sha256: digest }, ...key }),
  'verify_image without a digest': () => domain.images.verify(admin, { id, body: {}, ...key }),
  import_image: () => {
    const body = {
      url: 'https://images.example/a.iso',
      name: 'i.iso',
      sha256: digest,
      format: 'iso' as const,
    };
    return domain.images.importUrl(admin, { body, ...key });
  },
  make_sample_image: () =>
    domain.images.makeSample(admin, { body: { name: 's.raw', sizeBytes: MiB }, ...key }),
};

describe('an operation that 0.1.0 accepted', () => {
  it.each(Object.entries(requests))(
    '%s of 0.1.0 has its request after the migration, and can be retried',
    async (_, request) => {
      await occupySlot();
      const operationId = await cancelled(request());
      const before = await inputOf(operationId);
      await upgrade();
      expect(await inputOf(operationId)).toEqual(before);
      const again = await domain.operations.retry(operationId, admin, null);
      const after = await inputOf(again.id);
      expect(after['request']).toEqual(before['request']);
      await cancelled(Promise.resolve(again));
    },
  );

  it('delete_image of 0.1.0 has its request after the migration', async () => {
    const { id: operationId } = await domain.images.remove(admin, { id, ...key });
    await domain.wait(operationId, 'succeeded');
    const before = await inputOf(operationId);
    expect(before['request']).toEqual({ id });
    await upgrade();
    expect(await inputOf(operationId)).toEqual(before);
  });

  it('an upgrade resumes an interrupted copy of 0.1.0 and registers the same bytes', async () => {
    await writeFile(path('small.raw'), 'x');
    await domain.rescan();
    const { id: operationId } = await domain.copy('disk.raw', 'half.raw', { bytesPerSecond: MiB });
    await domain.wait(operationId, 'running');
    await upgrade();
    await domain.wait(operationId, 'succeeded');
    expect(await sha256(path('half.raw'))).toBe(await sha256(path('disk.raw')));
  });
});
