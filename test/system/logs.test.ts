import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ args: ['--log-level', 'debug'] });
});
afterAll(() => server.close());

interface Line {
  msg: string;
  requestId?: string;
  [field: string]: unknown;
}

/** Complete lines only: the last one may still arrive. */
function lines(of: TestServer = server): Line[] {
  const whole = of.log().split('\n').slice(0, -1);
  return whole.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
}

function lineOf(find: (line: Line) => boolean, what: string): Promise<Line> {
  return until(() => lines().find(find), { what });
}

it('every request writes one log line with route, status, time and user, named by its answer', async () => {
  const session = await signIn(server, await createUser(server, 'reader', 'viewer'));
  const answers = {
    fine: await session.request('GET', '/api/images?limit=1'),
    refused: await session.request('POST', '/api/images/100/copy', { body: { name: 'copy.raw' } }),
    unknown: await rawRequest(`${server.baseUrl}/api/no-such-thing?token=unknown`),
    foreign: await rawRequest(`${server.baseUrl}/api/images`, { headers: { host: 'example.org' } }),
  };
  const expected = {
    fine: { method: 'GET', route: '/api/images', url: '/api/images', status: 200, principal: 'reader' },
    refused: { method: 'POST', route: '/api/images/:id/copy', status: 403, principal: 'reader' },
    unknown: { method: 'GET', url: '/api/no-such-thing', status: 404, principal: null },
    foreign: { method: 'GET', route: '/api/images', status: answers.foreign.status, principal: null },
  };
  for (const name of ['fine', 'refused', 'unknown', 'foreign'] as const) {
    const id = answers[name].headers['x-request-id'];
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const line = await lineOf(({ requestId, msg }) => requestId === id && msg === 'request', name);
    expect(line).toMatchObject({ ...expected[name], durationMs: expect.any(Number) as number });
    expect(lines().filter(({ requestId, msg }) => requestId === id && msg === 'request')).toHaveLength(1);
  }
});

it(
  'every state change of an operation writes a log line, for published operations too',
  { timeout: 90_000 },
  async () => {
    await makeRandomImage(join(server.poolDir, 'source.raw'), MiB);
    const image = await registerImage(server, 'source.raw');
    const { operation: copy } = await server.api.copyImage(image.id, { name: 'copy.raw' });
    await waitForState(server, copy.id, { states: ['succeeded'] });
    const subject = { kind: 'database', name: 'orders' };
    const { operation: backup } = await server.api.publish({ action: 'backup_database', subject });
    const error = { code: 'disk_broken', message: 'The disk is broken.' };
    await server.api.endOperation(backup.id, { state: 'failed', error });
    const statesOf = async (id: string, last: string): Promise<unknown[]> => {
      await lineOf(({ operation, state }) => operation === id && state === last, `${id} ${last}`);
      return lines()
        .filter(({ operation, msg }) => operation === id && msg === 'operation')
        .map(({ state }) => state);
    };
    expect(await statesOf(copy.id, 'succeeded')).toEqual(['queued', 'running', 'succeeded']);
    expect(await statesOf(backup.id, 'failed')).toEqual(['running', 'failed']);
    const ended = await lineOf(
      (line) => line['operation'] === backup.id && line['state'] === 'failed',
      'end',
    );
    expect(ended).toMatchObject({ action: 'backup_database', reason: 'disk_broken' });
  },
);

it('accepted reports write no log line at the default level', async () => {
  const quiet = await startServer();
  try {
    const subject = { kind: 'database', name: 'orders' };
    const { operation } = await quiet.api.publish({ action: 'backup_database', subject, leaseS: 3600 });
    for (let count = 0; count < 20; count += 1) await quiet.api.reportProgress(operation.id, { add: 1 });
    await quiet.api.reportProgress('a'.repeat(26), { add: 1 }).catch(() => null);
    await quiet.api.endOperation(operation.id, { state: 'succeeded' });
    const reports = await until(
      () => {
        const all = lines(quiet).filter(({ msg }) => msg === 'request');
        return all.some(({ route }) => String(route).endsWith('/end')) ? all : null;
      },
      { what: 'the end to be in the log' },
    );
    const rejected = reports.filter(({ route }) => String(route).endsWith('/progress'));
    expect(rejected.map(({ status }) => status)).toEqual([404]);
  } finally {
    await quiet.close();
  }
});
