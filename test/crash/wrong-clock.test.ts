import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import LibsqlDatabase from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createTusClient, uploadId } from '../kit/tus.ts';

const dayMs = 86_400_000;
const sizeBytes = 100_000;
const received = randomBytes(60_000);
const preload = new URL('../kit/shifted-clock.mjs', import.meta.url).href;

const wrongTimes = [
  ['400 days ahead', () => new Date(Date.now() + 400 * dayMs)] as const,
  ['in 1970', () => new Date(dayMs)] as const,
];

/** A whole server whose wall clock is wrong from its start. Monotonic clocks and file times are right. */
describe('D12: a start with a wrong clock', () => {
  let workspace: Workspace;
  let server: TestServer;
  let recent = '';
  const uploads = new Map<string, string>();
  const start = (more: { env?: Record<string, string>; args?: string[] } = {}): Promise<TestServer> =>
    startServer({
      home: workspace.path,
      env: more.env ?? {},
      args: ['--free-space-floor', '0', ...(more.args ?? [])],
    });
  const tusOf = ({ baseUrl, token }: TestServer) =>
    createTusClient(baseUrl, { authorization: `Bearer ${token}` });
  const upload = (name: string): string => uploads.get(name) ?? '';

  beforeAll(async () => {
    workspace = makeWorkspace('wrong-clock');
    server = await start();
    const subject = { kind: 'database', id: 7, name: 'orders' };
    const published = await server.api.publish({ action: 'backup_database', subject, phase: 'dump' });
    recent = published.operation.id;
    await server.api.endOperation(recent, { state: 'succeeded' });
    const tus = tusOf(server);
    for (const name of ['kept', ...wrongTimes.map(([time]) => time)]) {
      uploads.set(name, await tus.create(`${name}.raw`, sizeBytes));
      await tus.patch(upload(name), 0, received);
      await waitForState(server, uploadId(upload(name)), { states: ['interrupted'] });
    }
  });
  afterAll(async () => {
    await server.close();
    workspace.remove();
  });

  /**
   * Copies the operation as one that ended 100 days ago, and lets one upload wait for a day. The other ones may wait
   * for ten minutes more than the expiry, so that a busy machine does not end them.
   */
  function age(old: string, expiring: string): void {
    const database = new LibsqlDatabase(join(workspace.path, 'data', 'wcc.sqlite'));
    const columns = 'label, action, ownerId, subjectKind, subjectId, createdAt, startedAt, rev, input';
    database
      .prepare(
        `insert into operations (id, ${columns}, state, endedAt, record)
          select ?, ${columns}, state, ?, replace(record, id, ?) from operations where id = ?`,
      )
      .run(old, new Date(Date.now() - 100 * dayMs).toISOString(), old, recent);
    const setIdleTime = database.prepare(
      `insert into uploadIdleTimes select id, ?, ? from operations where id = ? and state = 'interrupted'
        on conflict do update set sinceMs = excluded.sinceMs`,
    );
    for (const url of uploads.values()) {
      const sinceMs = url === expiring ? Date.now() - dayMs : Date.now() + 600_000;
      setIdleTime.run(sinceMs, received.length, uploadId(url));
    }
    database.close();
  }

  it.each(wrongTimes)(
    'D12: a clock that is %s removes what is old by the time of the server, and nothing else',
    async (name, wrongTime) => {
      const old = 'a'.repeat(26);
      await server.stop();
      age(old, upload(name));
      const env = { NODE_OPTIONS: `--import=${preload}`, WCC_TEST_NOW: wrongTime().toISOString() };
      // Half a minute, because the server looks four times in this time.
      server = await start({ env, args: ['--upload-expiry', '0.0003'] });
      const { api } = server;
      const isGone = (id: string): Promise<boolean> =>
        api.operation(id).then(
          () => false,
          () => true,
        );
      await until(() => isGone(old), { what: 'the old operation to be deleted' });
      expect(await isGone(recent)).toBe(false);
      await waitForState(server, uploadId(upload(name)), { states: ['failed'], timeoutMs: 180_000 });
      expect(await tusOf(server).head(upload('kept'))).toMatchObject({
        status: 200,
        offset: received.length,
      });
      expect(await api.health()).toMatchObject({ status: 'ok', warnings: ['clock_jumped'] });
      expect(server.log()).toContain('the clock of this host jumped');
    },
  );

  it('D12: nothing is lost when the clock is right again', async () => {
    await server.stop();
    server = await start();
    expect((await server.api.operation(recent)).state).toBe('succeeded');
    const tus = tusOf(server);
    expect(await tus.head(upload('kept'))).toMatchObject({ status: 200, offset: received.length });
    const rest = randomBytes(sizeBytes - received.length);
    expect(await tus.patch(upload('kept'), received.length, rest)).toMatchObject({ status: 204 });
    await waitForState(server, uploadId(upload('kept')), { states: ['succeeded'] });
  });
});
