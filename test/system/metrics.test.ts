import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import { createWatcher } from '../kit/watcher.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Parses the Prometheus text format strictly: any other line fails the test. */
function parse(text: string): Sample[] {
  const lines = text.split('\n').filter((line) => line !== '' && !/^# (HELP|TYPE) \w+ /.test(line));
  return lines.map((line) => {
    const match = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match) throw new Error(`no sample: ${line}`);
    const [, name = '', labels = '', value = ''] = match;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, held]) => [key, held]);
    return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
  });
}

async function scrape(): Promise<Sample[]> {
  const headers = { authorization: `Bearer ${server.token}` };
  const answer = await rawRequest(`${server.baseUrl}/metrics`, { headers });
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(answer.headers['cache-control']).toBe('no-store');
  return parse(answer.text);
}

/** Sum of the samples of that name with these labels. */
function valueOf(samples: readonly Sample[], name: string, labels: Record<string, string> = {}): number {
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  if (found.length === 0) throw new Error(`no sample of ${name} ${JSON.stringify(labels)}`);
  return found.reduce((sum, { value }) => sum + value, 0);
}

it('the metrics count the bytes and the end of a copy', { timeout: 90_000 }, async () => {
  await makeRandomImage(join(server.poolDir, 'source.raw'), 16 * MiB);
  const image = await registerImage(server, 'source.raw');
  const before = await scrape();
  expect(valueOf(before, 'wcc_operations')).toBe(0);
  const { operation } = await server.api.copyImage(image.id, { name: 'copy.raw', method: 'copy' });
  const { bytes } = await waitForState(server, operation.id, { states: ['succeeded'] });
  const after = await scrape();
  const labels = { action: 'copy_vm_image', state: 'succeeded' };
  expect(valueOf(after, 'wcc_operations_ended_total', labels)).toBe(1);
  expect(bytes!.written).toBeGreaterThan(0);
  for (const kind of ['written', 'data', 'skipped', 'shared'] as const) {
    expect(valueOf(after, `wcc_bytes_${kind}_total`)).toBe(bytes![kind]);
  }
  expect(valueOf(after, 'wcc_operations')).toBe(0);
  const pool = (await server.api.pools()).items[0]!;
  expect(valueOf(after, 'wcc_pool_size_bytes', { pool: pool.name })).toBe(pool.totalBytes);
  expect(valueOf(after, 'wcc_store_commit_seconds_count')).toBeGreaterThan(
    valueOf(before, 'wcc_store_commit_seconds_count'),
  );
  expect(valueOf(after, 'wcc_event_loop_lag_seconds', { quantile: '1' })).toBeGreaterThanOrEqual(0);
  expect(valueOf(after, 'process_resident_memory_bytes')).toBeGreaterThan(0);
  expect(valueOf(after, 'nodejs_eventloop_lag_seconds')).toBeGreaterThanOrEqual(0);
});

it('the metrics show running operations, and all published ones as one action', async () => {
  const names = ['backup_database', 'build_site', 'train_model'];
  const made = await Promise.all(
    names.map((action) =>
      server.api.publish({ action, subject: { kind: 'thing', name: 'one' }, leaseS: 3600 }),
    ),
  );
  const running = { state: 'running', action: 'published' };
  expect(valueOf(await scrape(), 'wcc_operations', running)).toBe(3);
  for (const { operation } of made) await server.api.endOperation(operation.id, { state: 'succeeded' });
  const samples = await scrape();
  expect(valueOf(samples, 'wcc_operations', running)).toBe(0);
  const ended = { state: 'succeeded', action: 'published' };
  expect(valueOf(samples, 'wcc_operations_ended_total', ended)).toBe(3);
  const text = JSON.stringify(samples);
  for (const name of [...names, ...made.map(({ operation }) => operation.id), 'root']) {
    expect(text).not.toContain(name);
  }
});

it('the metrics count requests by route pattern', async () => {
  const route = { route: '/api/operations/:id', method: 'GET' };
  const ids = ['a'.repeat(26), 'b'.repeat(26), 'c'.repeat(26)];
  for (const id of ids) await server.api.operation(id).catch(() => null);
  // The server counts an answer only after the client has read that answer.
  await until(
    async () => {
      const samples = await scrape();
      const held = samples.filter(({ name }) => name === 'wcc_http_requests_total');
      expect(JSON.stringify(held)).not.toMatch(/aaaa|bbbb|cccc/);
      const isCounted = held.some(
        ({ labels, value }) => labels['route'] === route.route && labels['status'] === '404' && value === 3,
      );
      return isCounted && valueOf(samples, 'wcc_http_request_duration_seconds_count', route) >= 3;
    },
    { what: 'three requests to be counted' },
  );
});

it('the metrics count watchers by kind, watched operations and sent snapshots', async () => {
  const watcher = await createWatcher(server.port, { token: server.token });
  watcher.subscribe('all');
  await watcher.waitFor(({ message }) => message.t === 'ok', 'the subscription');
  const subject = { kind: 'database', name: 'orders' };
  const { operation } = await server.api.publish({ action: 'backup_database', subject, leaseS: 3600 });
  await watcher.waitForState(operation.id, ['running']);
  const socket = { kind: 'websocket' };
  const samples = await scrape();
  expect(valueOf(samples, 'wcc_watchers', socket)).toBe(1);
  expect(valueOf(samples, 'wcc_watchers', { kind: 'sse' })).toBe(0);
  expect(valueOf(samples, 'wcc_watch_subscriptions', socket)).toBeGreaterThan(0);
  const sentFrames = watcher.frames.filter(({ message }) => message.t === 'ops');
  const sentBytes = sentFrames.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  // The count may include `hello` and heartbeats.
  expect(valueOf(samples, 'wcc_watch_sent_messages_total', socket)).toBeGreaterThan(0);
  await until(async () => valueOf(await scrape(), 'wcc_watch_sent_bytes_total', socket) >= sentBytes, {
    what: 'the received bytes to be counted',
  });
  watcher.close();
  await until(async () => valueOf(await scrape(), 'wcc_watchers', socket) === 0, {
    what: 'the watcher to leave',
  });
  await server.api.endOperation(operation.id, { state: 'succeeded' });
});

it('only administrators read the metrics', async () => {
  const operator = await signIn(server, await createUser(server, 'operator', 'operator'));
  const admin = await signIn(server, await createUser(server, 'second-admin', 'admin'));
  const made = await admin.request('POST', '/api/tokens', { body: { name: 'prometheus', scope: 'read' } });
  const { secret } = made.json() as { secret: string };
  const statusOf = async (headers: Record<string, string>): Promise<number> =>
    (await rawRequest(`${server.baseUrl}/metrics`, { headers })).status;
  expect(await statusOf({})).toBe(401);
  expect(await statusOf(operator.headers)).toBe(403);
  expect(await statusOf({ authorization: `Bearer ${secret}` })).toBe(200);
  expect(await statusOf(admin.headers)).toBe(200);
  expect(await statusOf({ ...admin.headers, 'sec-fetch-site': 'cross-site' })).toBe(403);
});
