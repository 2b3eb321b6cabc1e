import {
  accepted,
  copyPlan,
  image,
  imageList,
  operationLog,
  operationList,
  poolList,
  rescanResult,
} from '@wcc/api';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminToken, startTestServer } from '../server.testkit.ts';
import type { ServerUnderTest } from '../server.testkit.ts';

let server: ServerUnderTest;
let poolId: string;
const poolDir = (): string => join(server.dataDir, 'images');

beforeAll(async () => {
  server = await startTestServer({ freeSpaceFloor: { bytes: 0, fraction: 0 } });
  writeFileSync(join(poolDir(), 'a.raw'), Buffer.alloc(300_000, 1));
  symlinkSync('/etc/passwd', join(poolDir(), 'link'));
  const pools = poolList.parse((await server.ask('GET', '/api/pools', { bearer: adminToken })).json);
  poolId = pools.items[0]?.id ?? '';
  await ask('POST', `/api/pools/${poolId}/rescan`);
  await server.addUser('ann', 'operator');
  await server.addUser('eve', 'viewer');
});
afterAll(async () => {
  await server.close();
});

const ask = (method: string, path: string, body?: unknown): ReturnType<ServerUnderTest['ask']> =>
  server.ask(method, path, { bearer: adminToken, ...(body === undefined ? {} : { body }) });

async function ended(path: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { json } = await ask('GET', path);
    if (json['endedAt'] !== null) return json;
    await sleep(20);
  }
}

describe('images over HTTP', () => {
  it('answers match their schemas', async () => {
    const list = imageList.parse((await ask('GET', '/api/images?limit=1')).json);
    expect(list.items).toHaveLength(1);
    const rest = imageList.parse((await ask('GET', `/api/images?cursor=${list.next ?? ''}`)).json);
    expect([...list.items, ...rest.items].map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual([
      'a.raw ready',
      'link refused',
    ]);
    expect(image.parse((await ask('GET', '/api/images/100')).json).id).toBe(100);
    expect(copyPlan.parse((await ask('GET', '/api/images/100/copy-plan?name=link')).json)).toMatchObject({
      virtualSizeBytes: 300_000,
      nameTaken: true,
    });
    const rescan = await ask('POST', `/api/pools/${poolId}/rescan`);
    expect(rescanResult.parse(rescan.json)).toEqual({
      added: 0,
      missing: 0,
      returned: 0,
      refused: 0,
      skipped: [],
    });
  });

  it('a copy plan never reveals files outside the pool', async () => {
    const plan = async (name: string): Promise<unknown> =>
      (await ask('GET', `/api/images/100/copy-plan?name=${encodeURIComponent(name)}`)).json['nameTaken'];
    expect(await plan('../../../../../../etc/passwd')).toBe(false);
    expect(await plan('a\0b')).toBe(false);
    expect(await plan('a.raw')).toBe(true);
  });

  it('a copy answers 202 with a Location that shows the operation until its end', async () => {
    const answer = await ask('POST', '/api/images/100/copy', { name: 'b.raw' });
    expect(answer.status).toBe(202);
    const { operation } = accepted.parse(answer.json);
    expect(answer.headers.location).toBe(`/api/operations/${operation.id}`);
    expect(operation.may).toEqual({ cancel: true, pause: false, resume: false, retry: false, share: true });
    expect(await ended(answer.headers.location ?? '')).toMatchObject({ state: 'succeeded', error: null });
    const log = operationLog.parse((await ask('GET', `/api/operations/${operation.id}/log`)).json);
    expect(log.items.at(-1)?.text).toBe('succeeded');
    const list = operationList.parse((await ask('GET', '/api/operations?subject=image:100')).json);
    expect(list.items.map(({ id }) => id)).toContain(operation.id);
  });

  it('creates a sample image', async () => {
    const answer = await ask('POST', '/api/images/sample', { name: 's.raw', sizeBytes: 1_048_576 });
    expect(answer.status).toBe(202);
    expect(await ended(answer.headers.location ?? '')).toMatchObject({ state: 'succeeded' });
  });

  it.each([
    ['a name with a slash', { body: { name: 'a/b' } }, { status: 422, code: 'invalid_name', field: 'name' }],
    ['a hidden name', { body: { name: '.b' } }, { status: 422, code: 'invalid_name', field: 'name' }],
    ['a control character', { body: { name: 'a\nb' } }, { status: 422, code: 'invalid_name', field: 'name' }],
    ['no name', { body: {} }, { status: 400, code: 'malformed_request', field: 'name' }],
    [
      'an unknown field',
      { body: { name: 'x', zap: 1 } },
      { status: 400, code: 'malformed_request', field: 'zap' },
    ],
    [
      'an unknown method',
      { body: { name: 'x', method: 'magic' } },
      { status: 422, code: 'invalid_input', field: 'method' },
    ],
    ['a taken name', { body: { name: 'a.raw' } }, { status: 409, code: 'exists', field: 'name' }],
    ['an unknown image', { id: 4711, body: { name: 'x' } }, { status: 404, code: 'not_found' }],
    ['no number', { id: 'abc', body: { name: 'x' } }, { status: 404, code: 'not_found' }],
    ['a refused image', { id: 101, body: { name: 'x' } }, { status: 409, code: 'image_unavailable' }],
    ['an unknown pool', { body: { name: 'x', pool: 'nowhere' } }, { status: 404, code: 'not_found' }],
  ])('%s is refused with code, message and hint', async (_what, order, expected) => {
    const { id = 100, body } = order as { id?: number | string; body: object };
    const answer = await ask('POST', `/api/images/${id}/copy`, body);
    expect(answer.status).toBe(expected.status);
    expect(answer.json).toMatchObject({ ...expected, hint: expect.any(String) as string });
  });

  it('checks and honours the idempotency key', async () => {
    const send = (key: string, name: string): ReturnType<ServerUnderTest['ask']> =>
      server.ask('POST', '/api/images/100/copy', {
        bearer: adminToken,
        body: { name },
        headers: { 'idempotency-key': key },
      });
    const [one, two] = [await send('k1', 'k.raw'), await send('k1', 'k.raw')];
    expect(two.headers.location).toBe(one.headers.location);
    expect((await send('k1', 'other.raw')).json['code']).toBe('idempotency_conflict');
    expect((await send('with space', 'x.raw')).json['code']).toBe('malformed_request');
    await ended(one.headers.location ?? '');
  });
});

describe('rights over HTTP', () => {
  it('without sign-in nothing is visible; a viewer reads but starts nothing', async () => {
    const cookie = await server.signIn('eve');
    expect((await server.ask('GET', '/api/images')).status).toBe(401);
    expect((await server.ask('GET', '/api/images', { cookie })).status).toBe(200);
    const copy = await server.ask('POST', '/api/images/100/copy', { cookie, body: { name: 'eve.raw' } });
    expect(copy.json['code']).toBe('forbidden');
    for (const path of ['/api/images/sample', `/api/pools/${poolId}/rescan`]) {
      expect((await server.ask('POST', path, { cookie })).json['code']).toBe('forbidden');
    }
    expect((await server.ask('GET', `/api/pools/${poolId}/orphans`, { cookie })).json['code']).toBe(
      'forbidden',
    );
  });

  it('an operation of another user and an unknown one get equal bytes', async () => {
    const made = await ask('POST', '/api/images/100/copy', { name: 'of-admin.raw' });
    const { operation } = accepted.parse(made.json);
    await ended(`/api/operations/${operation.id}`);
    const cookie = await server.signIn('ann');
    for (const [method, tail] of [
      ['GET', ''],
      ['GET', '/log'],
      ['POST', '/cancel'],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/retry'],
    ] as const) {
      const foreign = await server.ask(method, `/api/operations/${operation.id}${tail}`, { cookie });
      const unknown = await server.ask(method, `/api/operations/${'a'.repeat(26)}${tail}`, { cookie });
      expect(foreign.status).toBe(404);
      expect(foreign.text).toBe(unknown.text);
    }
  });

  it('lets administrators list and delete orphans', async () => {
    const id = 'q'.repeat(26);
    writeFileSync(join(poolDir(), `.wcc-${id}.partial`), 'x');
    expect((await ask('GET', `/api/pools/${poolId}/orphans`)).json).toMatchObject({ items: [{ id }] });
    expect((await ask('DELETE', `/api/pools/${poolId}/orphans/${id}`)).status).toBe(204);
    expect((await ask('DELETE', `/api/pools/${poolId}/orphans/${id}`)).status).toBe(404);
  });
});
