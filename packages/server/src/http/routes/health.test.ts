import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ServerUnderTest } from '../server.testkit.ts';
import { adminToken, startTestServer } from '../server.testkit.ts';

let server: ServerUnderTest;
let databaseThread: Worker;

beforeEach(async () => {
  const posts = vi.spyOn(Worker.prototype, 'postMessage');
  server = await startTestServer();
  const index = posts.mock.calls.findIndex(([message]) => (message as { kind?: unknown }).kind === 'write');
  databaseThread = posts.mock.contexts[index] as Worker;
  posts.mockRestore();
});
afterEach(() => server.close());

it('health is ok when the server is ready', async () => {
  const { status, json } = await server.ask('GET', '/api/health');
  expect([status, json]).toEqual([200, { status: 'ok', version: '0.0.0-test' }]);
});

it('every answer of the API has the version of the server in a header', async () => {
  for (const [method, path] of [
    ['GET', '/api/health'],
    ['GET', '/api/session'],
    ['GET', '/api/nowhere'],
    ['DELETE', '/api/health'],
    ['OPTIONS', '/api/uploads'],
  ] as const) {
    const { headers } = await server.ask(method, path);
    expect([path, headers['wcc-version']]).toEqual([path, '0.0.0-test']);
  }
  expect((await server.ask('GET', '/')).headers['wcc-version']).toBeUndefined();
});

it('answers 404 for an unknown address, 410 for a removed one, 405 for a wrong method', async () => {
  const unknown = await server.ask('GET', '/api/nowhere');
  expect([unknown.status, unknown.json['code']]).toEqual([404, 'not_found']);
  const removed = await server.ask('GET', '/api/pools/1/remains?x=1');
  expect(removed.status).toBe(410);
  expect(removed.json).toMatchObject({
    code: 'endpoint_removed',
    detail: 'wcc 0.2.0 removed this address.',
    hint: 'Upgrade the client, or use GET /api/pools/{id}/orphans.',
  });
  const one = await server.ask('DELETE', `/api/pools/1/remains/${'a'.repeat(26)}`);
  expect([one.status, one.json['code']]).toEqual([410, 'endpoint_removed']);
  const wrong = await server.ask('DELETE', '/api/health');
  expect([wrong.status, wrong.json['code'], wrong.headers.allow]).toEqual([
    405,
    'method_not_allowed',
    'GET, HEAD',
  ]);
});

it('D21: every address answers database_unavailable while the database is away, and works after its return', async () => {
  // The server never sends this; the thread crashes.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  databaseThread.postMessage(null);
  await expect(once(databaseThread, 'exit')).rejects.toThrow(TypeError);
  for (const path of ['/api/health', '/api/users', '/api/nowhere']) {
    const { status, json, headers } = await server.ask('GET', path, { bearer: adminToken });
    expect([path, status, json['code']]).toEqual([path, 503, 'database_unavailable']);
    expect(headers['retry-after']).toBe('1');
  }
  expect(server.log()).toContain('"stage":"storage"');
  // The log has the failure once, not once per request.
  expect(server.log()).not.toContain('request failed');
  await vi.waitUntil(async () => (await server.ask('GET', '/api/health')).status === 200, {
    timeout: 60_000,
  });
  expect((await server.ask('GET', '/api/users', { bearer: adminToken })).status).toBe(200);
});

it('a plain request to the address of the socket gets 426', async () => {
  const { status, json, headers } = await server.ask('GET', '/api/ws');
  expect([status, json['code'], headers.upgrade]).toEqual([426, 'upgrade_required', 'websocket']);
});
