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

it('is ok when everything is', async () => {
  const { status, json } = await server.ask('GET', '/api/health');
  expect([status, json]).toEqual([200, { status: 'ok', version: '0.0.0-test' }]);
});

it('says so, as every other address does, when the database died; the stop still works', async () => {
  // Nothing that the server itself would send: the thread dies of it.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  databaseThread.postMessage(null);
  await expect(once(databaseThread, 'exit')).rejects.toThrow(TypeError);
  for (const path of ['/api/health', '/api/users', '/api/nowhere']) {
    const { status, json, headers } = await server.ask('GET', path, { bearer: adminToken });
    expect([path, status, json['code']]).toEqual([path, 503, 'database_unavailable']);
    expect(headers['retry-after']).toBe('1');
  }
  expect(server.log()).toContain('"stage":"storage"');
  // The failure is in the log once; that every request is told of it is no further failure.
  expect(server.log()).not.toContain('request failed');
});

it('the address of the socket tells a plain request what it speaks', async () => {
  const { status, json, headers } = await server.ask('GET', '/api/ws');
  expect([status, json['code'], headers.upgrade]).toEqual([426, 'upgrade_required', 'websocket']);
});
