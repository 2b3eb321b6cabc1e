import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store } from '../storage/store.ts';
import { openStore } from '../storage/store.ts';
import type { Sessions } from './sessions.ts';
import { createSessions, sessionAbsoluteMs, sessionIdleMs } from './sessions.ts';

let directory: string;
let store: Store;
let sessions: Sessions;
let nowMs = Date.parse('2026-01-01T00:00:00Z');
const failures: unknown[] = [];
const user = { id: 'u1', version: 1 };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-sessions-'));
  store = await openStore(join(directory, 'wcc.sqlite'), { onError: (error) => void failures.push(error) });
  sessions = createSessions({ store, now: () => nowMs, onError: (error) => void failures.push(error) });
  const row = { ...user, name: 'sato', role: 'operator' as const, passwordHash: null, disabled: 0 };
  await store.write([{ query: store.db.insertInto('users').values({ ...row, createdAt: '' }) }]);
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
  if (failures.length > 0) throw new AggregateError(failures.splice(0));
});

async function newSession(): Promise<{ secret: string; key: string }> {
  const session = sessions.prepare(user, '192.0.2.1');
  await store.write([session.statement]);
  return session;
}
const isAlive = async (secret: string): Promise<boolean> =>
  (await sessions.find(secret, '192.0.2.1')) !== null;

it('a session lives while it is used and ends after two idle hours', async () => {
  const { secret } = await newSession();
  for (let step = 0; step < 3; step += 1) {
    nowMs += sessionIdleMs - 1000;
    expect(await isAlive(secret)).toBe(true);
  }
  nowMs += sessionIdleMs;
  expect(await isAlive(secret)).toBe(false);
});

it('a session ends after twelve hours, even if used', async () => {
  const { secret } = await newSession();
  const endMs = nowMs + sessionAbsoluteMs;
  while (nowMs < endMs - sessionIdleMs / 2) {
    nowMs += sessionIdleMs / 2;
    expect(await isAlive(secret)).toBe(nowMs < endMs);
  }
  expect(nowMs).toBe(endMs - sessionIdleMs / 2);
  nowMs = endMs;
  expect(await isAlive(secret)).toBe(false);
});

it('an open socket keeps a session alive', async () => {
  const { secret, key } = await newSession();
  for (let step = 0; step < 4; step += 1) {
    nowMs += sessionIdleMs - 1000;
    await sessions.touch([key]);
  }
  expect(await isAlive(secret)).toBe(true);
});

it('a session is invalid once its user changes or is disabled', async () => {
  const { secret } = await newSession();
  await store.write([{ query: store.db.updateTable('users').set({ disabled: 1 }) }]);
  expect(await isAlive(secret)).toBe(false);
  await store.write([{ query: store.db.updateTable('users').set({ disabled: 0, version: 2 }) }]);
  expect(await isAlive(secret)).toBe(false);
});

it('the sweep removes ended sessions only', async () => {
  await newSession();
  nowMs += sessionIdleMs;
  const { secret } = await newSession();
  await sessions.sweep();
  expect(await store.db.selectFrom('sessions').selectAll().execute()).toHaveLength(1);
  expect(await isAlive(secret)).toBe(true);
});
