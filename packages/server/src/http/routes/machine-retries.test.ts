import { join } from 'node:path';
import { accepted } from '@wcc/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import { MiB, writeBootable } from '../../machines/machines.testkit.ts';
import { adminToken, startTestServer } from '../server.testkit.ts';
import type { Answer, AskOptions, ServerUnderTest } from '../server.testkit.ts';

let server: ServerUnderTest;

beforeAll(async () => {
  server = await startTestServer({
    freeSpaceFloor: { bytes: 0, fraction: 0 },
    importAllow: ['127.0.0.1'],
    maxVirtualSizeBytes: 64 * MiB,
  });
  for (const name of ['template.raw', 'other.raw']) await writeBootable(join(server.dataDir, 'images', name));
  const [pool] = (await ask('GET', '/api/pools')).json['items'] as { id: string }[];
  await ask('POST', `/api/pools/${pool?.id}/rescan`);
});
afterAll(() => server.close());

const ask = (method: string, path: string, options: AskOptions = {}): Promise<Answer> =>
  server.ask(method, path, { bearer: adminToken, ...options });

const send = (path: string, key: string, body: object): Promise<Answer> =>
  ask('POST', path, { body, headers: { 'idempotency-key': key } });

async function accept(path: string, key: string, body: object): Promise<{ id: string; subject: number }> {
  const answer = await send(path, key, body);
  expect(answer.status, answer.text).toBe(202);
  const { operation } = accepted.parse(answer.json);
  return { id: operation.id, subject: Number(operation.subject.id) };
}

async function whenEnded(id: string): Promise<string> {
  const read = async (): Promise<string> => String((await ask('GET', `/api/operations/${id}`)).json['state']);
  const ended = ['succeeded', 'failed'];
  await waitUntil('the operation', async () => ended.includes(await read()));
  return read();
}

const small = { cpus: 1, memoryBytes: 32 * MiB, start: false };

describe('V3: a request that was accepted keeps its answer', () => {
  it('a machine of a template that is gone since', async () => {
    const images = (await ask('GET', '/api/images')).json['items'] as { id: number; name: string }[];
    const image = images.find(({ name }) => name === 'other.raw')?.id;
    const body = { ...small, name: 'quick', image, full: true };
    const first = await accept('/api/vms/quick-create', 'quick', body);
    expect(await whenEnded(first.id)).toBe('succeeded');
    const { operation } = accepted.parse((await ask('DELETE', `/api/images/${image}`)).json);
    expect(await whenEnded(operation.id)).toBe('succeeded');
    expect(await accept('/api/vms/quick-create', 'quick', body)).toEqual(first);
  });

  it('a copy of a machine that is deleted since', async () => {
    const made = await accept('/api/vms', 'source', { ...small, name: 'source', disks: [] });
    expect(await whenEnded(made.id)).toBe('succeeded');
    const path = `/api/vms/${made.subject}/copy`;
    const first = await accept(path, 'twin', { name: 'twin' });
    expect(await whenEnded(first.id)).toBe('succeeded');
    const removed = await ask('DELETE', `/api/vms/${made.subject}`, { body: { disks: true } });
    expect(await whenEnded(accepted.parse(removed.json).operation.id)).toBe('succeeded');
    expect(await accept(path, 'twin', { name: 'twin' })).toEqual(first);
  });
});

/** The judgement of the second body would refuse it; the known key is the better answer. */
describe('V3: the key of a request is looked up before its body is judged', () => {
  it.each<[string, string, { first: object; second: object }]>([
    [
      'user-data',
      '/api/vms',
      {
        first: { ...small, name: 'judged', disks: [], firstBoot: { userData: '#cloud-config\n{}' } },
        second: { ...small, name: 'judged', disks: [], firstBoot: { userData: 'no kind' } },
      },
    ],
    [
      'an address',
      '/api/images/import',
      {
        first: { url: 'http://127.0.0.1:9/a.raw', name: 'a.raw' },
        second: { url: 'http://10.0.0.1/a.raw', name: 'a.raw' },
      },
    ],
  ])('%s', async (name, path, { first, second }) => {
    await accept(path, name.replace(' ', '-'), first);
    const { status, json } = await send(path, name.replace(' ', '-'), second);
    expect([status, json['code']]).toEqual([422, 'idempotency_conflict']);
    expect((await send(path, 'another', second)).json['code']).not.toBe('idempotency_conflict');
  });

  it('the size of an upload', async () => {
    const create = (size: number): Promise<Answer> =>
      ask('POST', '/api/uploads', {
        headers: {
          'tus-resumable': '1.0.0',
          'upload-length': String(size),
          'upload-metadata': `filename ${btoa('sized.raw')}`,
          'idempotency-key': 'sized',
        },
      });
    expect((await create(5)).status).toBe(201);
    expect((await create(65 * MiB)).json['code']).toBe('idempotency_conflict');
  });
});
