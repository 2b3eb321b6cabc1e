import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiClient } from '@wcc/api/client';
import { createApiClient } from '@wcc/api/client';
import { currentPhase, waitForState } from '../kit/operations.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, makeToken, signIn } from '../kit/session.ts';
import type { CookieSession } from '../kit/session.ts';
import { createWatcher } from '../kit/watcher.ts';

/** Another program reports its own operation over HTTP, as a script with a bearer token does. */
let server: TestServer;
let session: CookieSession;
let token: string;
let program: ApiClient;

const clientOf = (secret: string): ApiClient => createApiClient({ baseUrl: server.baseUrl, token: secret });

beforeAll(async () => {
  server = await startServer();
  session = await signIn(server, await createUser(server, 'publisher', 'operator'));
  token = await makeToken(session, 'publish');
  program = clientOf(token);
});
afterAll(() => server.close());

const backup = {
  action: 'backup_database',
  subject: { kind: 'database', name: 'orders' },
  phase: 'dump',
  total: 100,
} as const;

it('a program begins, reports and ends an operation, and authorised watchers see each step', async () => {
  const watcher = await createWatcher(server.port, { token: server.token });
  watcher.subscribe('all');
  await watcher.waitFor(({ message }) => message.t === 'ok', 'the subscription');
  const { operation } = await program.publish(backup);
  expect(operation).toMatchObject({
    state: 'running',
    ownerName: 'publisher',
    label: 'backup_database_orders',
  });
  await program.reportProgress(operation.id, { done: 40 });
  await program.reportProgress(operation.id, { phase: 'upload', total: 7, add: 3 });
  await watcher.waitFor(
    () => watcher.snapshots.some((snapshot) => currentPhase(snapshot)?.name === 'upload'),
    'the second phase',
  );
  const result = { kind: 'backup', id: 'b-17' };
  const { operation: ended } = await program.endOperation(operation.id, { state: 'succeeded', result });
  expect(ended).toMatchObject({ state: 'succeeded', result });
  expect(await watcher.waitForState(operation.id, ['succeeded'])).toMatchObject({ result });
  watcher.close();
  const { items } = await server.api.operations({ action: 'backup_database' });
  expect(items.map(({ id }) => id)).toContain(operation.id);
  const log = await server.api.operationLog(operation.id);
  expect(log.items.map(({ text }) => text)).toEqual(['running', 'upload', 'succeeded']);
});

it('a token of scope publish can only report operations', async () => {
  const { operation } = await program.publish(backup);
  for (const attempt of [
    () => program.operation(operation.id),
    () => program.cancel(operation.id),
    () => program.images(),
    () => program.tokens(),
  ]) {
    await expect(attempt()).rejects.toMatchObject({ status: expect.toSatisfy(isRefusal) as number });
  }
  const reader = clientOf(await makeToken(session, 'read'));
  await expect(reader.publish(backup)).rejects.toMatchObject({ code: 'forbidden' });
  await expect(reader.reportProgress(operation.id)).rejects.toMatchObject({ code: 'not_found' });
  await program.endOperation(operation.id, { state: 'succeeded' });
});

const isRefusal = (status: number): boolean => status === 403 || status === 404;

it('a report to another publisher’s operation gets 404 like an unknown id; wcc’s own operations accept no reports', async () => {
  const other = await signIn(server, await createUser(server, 'other-publisher', 'operator'));
  const others = await makeToken(other, 'publish');
  const { operation } = await program.publish(backup);
  const headers = { authorization: `Bearer ${others}`, 'content-type': 'application/json' };
  const answers = await Promise.all(
    [operation.id, 'a'.repeat(26)].map((id) =>
      rawRequest(`${server.baseUrl}/api/operations/${id}/progress`, { method: 'PATCH', headers, body: '{}' }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([404, 404]);
  expect(answers[0]!.text).toBe(answers[1]!.text);
  const { operation: own } = await server.api.makeSampleImage({ name: 'sample.raw' });
  const attempt = server.api.reportProgress(own.id, { done: 1 });
  await expect(attempt).rejects.toMatchObject({ code: 'invalid_state' });
  await program.endOperation(operation.id, { state: 'succeeded' });
});

it.each([
  [{ ...backup, action: 'copy_vm_image' }, 422, 'action'],
  [{ ...backup, action: 'Backup!' }, 422, 'action'],
  [{ ...backup, total: -1 }, 422, 'total'],
  [{ ...backup, leaseS: 1 }, 422, 'leaseS'],
  [{ ...backup, owner: 'root' }, 400, 'owner'],
])('the server refuses to publish %j', async (body, status, field) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const request = { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await rawRequest(`${server.baseUrl}/api/operations`, request);
  expect(answer.status).toBe(status);
  expect(answer.json()).toMatchObject({ field });
});

it('curl publishes an operation, and the answer to its next report shows a user’s cancel', async () => {
  const curl = async (...args: string[]): Promise<{ operation: { id: string; state: string } }> => {
    const all = ['-sS', '--fail-with-body', '-H', `authorization: Bearer ${token}`, '--json', ...args];
    const { stdout } = await promisify(execFile)('curl', all, { timeout: 30_000 });
    return JSON.parse(stdout) as { operation: { id: string; state: string } };
  };
  const base = `${server.baseUrl}/api/operations`;
  const { operation } = await curl('{"action":"build","subject":{"kind":"site","name":"docs"}}', base);
  const progress = `${base}/${operation.id}/progress`;
  expect((await curl('{"add":1}', '-X', 'PATCH', progress)).operation.state).toBe('running');
  const cancel = await session.request('POST', `/api/operations/${operation.id}/cancel`);
  expect(cancel.status).toBe(202);
  expect((await curl('{"add":1}', '-X', 'PATCH', progress)).operation.state).toBe('cancelling');
  const { operation: ended } = await curl('{"state":"cancelled"}', `${base}/${operation.id}/end`);
  expect(ended.state).toBe('cancelled');
});

it(
  'a silent program becomes interrupted, and its next report resumes the operation',
  { timeout: 90_000 },
  async () => {
    const { operation } = await program.publish({ ...backup, leaseS: 5 });
    const silent = await waitForState(server, operation.id, { states: ['interrupted'] });
    expect(silent.stateReason).toMatchObject({ code: 'publisher_silent' });
    expect((await program.reportProgress(operation.id, { done: 1 })).operation.state).toBe('running');
    await program.endOperation(operation.id, { state: 'succeeded' });
  },
);

it(
  'a published operation is interrupted by SIGKILL of the server and resumes with the next report',
  { timeout: 120_000 },
  async () => {
    const key = 'one key, one backup'.replaceAll(' ', '-');
    const { operation } = await program.publish({ ...backup, leaseS: 600 }, key);
    await program.reportProgress(operation.id, { phase: 'upload', total: 1000, done: 100 });
    await program.reportProgress(operation.id, { done: 700 });
    await server.kill();
    await server.start();
    const after = await server.api.operation(operation.id);
    expect(after).toMatchObject({ state: 'interrupted', stateReason: { code: 'server_restarted' } });
    expect(currentPhase(after)).toMatchObject({ name: 'upload', done: 100, durable: 100 });
    expect(after.epoch).not.toBe(operation.epoch);
    // A request with the same key returns the same operation, even if the first answer was lost.
    expect((await program.publish({ ...backup, leaseS: 600 }, key)).operation.id).toBe(operation.id);
    const { operation: on } = await program.reportProgress(operation.id, { done: 720 });
    expect(on.state).toBe('running');
    expect(currentPhase(on)).toMatchObject({ done: 720 });
    await server.stop();
    await server.start();
    const stopped = await server.api.operation(operation.id);
    expect(stopped).toMatchObject({ state: 'interrupted', stateReason: { code: 'server_stopped' } });
    expect(currentPhase(stopped)).toMatchObject({ done: 720, durable: 720 });
    await program.endOperation(operation.id, { state: 'succeeded' });
    await program.endOperation(operation.id, { state: 'succeeded' });
    expect((await server.api.operation(operation.id)).state).toBe('succeeded');
  },
);
