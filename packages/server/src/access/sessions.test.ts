import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store } from '../storage/store.ts';
import { openStore } from '../storage/store.ts';
import type { NewSession, SessionProof, Sessions } from './sessions.ts';
import { createSessions, sessionAbsoluteMs, sessionIdleMs } from './sessions.ts';

let directory: string;
let store: Store;
let sessions: Sessions;
let nowMs = Date.parse('2026-01-01T00:00:00Z');
/** @default the same as the wall clock */
let retentionMs: number | null = null;
const failures: unknown[] = [];
const user = { id: 'u1', version: 1 };

beforeEach(async () => {
  retentionMs = null;
  directory = await mkdtemp(join(tmpdir(), 'wcc-sessions-'));
  store = await openStore(join(directory, 'wcc.sqlite'), { onError: (error) => void failures.push(error) });
  const retention = { nowMs: () => retentionMs ?? nowMs, isoNow: () => '' };
  sessions = createSessions({
    store,
    now: () => nowMs,
    retention,
    onError: (error) => void failures.push(error),
  });
  const row = { ...user, name: 'sato', role: 'operator' as const, passwordHash: null, disabled: 0 };
  await store.write([{ query: store.db.insertInto('users').values({ ...row, createdAt: '' }) }]);
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
  if (failures.length > 0) throw new AggregateError(failures.splice(0));
});

async function newSession(): Promise<NewSession> {
  const session = sessions.prepare(user, '192.0.2.1');
  await store.write([session.statement]);
  return session;
}
const proofOf = ({ secret, pageKey }: NewSession): SessionProof => ({
  cookies: [secret],
  named: { pageKey },
});
const isAlive = async (session: NewSession): Promise<boolean> =>
  (await sessions.find(proofOf(session), '192.0.2.1')) !== null;

it('a session lives while it is used and ends after two idle hours', async () => {
  const session = await newSession();
  for (let step = 0; step < 3; step += 1) {
    nowMs += sessionIdleMs - 1000;
    expect(await isAlive(session)).toBe(true);
  }
  nowMs += sessionIdleMs;
  expect(await isAlive(session)).toBe(false);
});

it('a session ends after twelve hours, even if used', async () => {
  const session = await newSession();
  const endMs = nowMs + sessionAbsoluteMs;
  while (nowMs < endMs - sessionIdleMs / 2) {
    nowMs += sessionIdleMs / 2;
    expect(await isAlive(session)).toBe(nowMs < endMs);
  }
  expect(nowMs).toBe(endMs - sessionIdleMs / 2);
  nowMs = endMs;
  expect(await isAlive(session)).toBe(false);
});

it('the recorded use of a connection keeps a session alive', async () => {
  const session = await newSession();
  const { key } = session;
  for (let step = 0; step < 4; step += 1) {
    nowMs += sessionIdleMs - 1000;
    await sessions.touch([key]);
  }
  expect(await isAlive(session)).toBe(true);
});

it('a session is invalid once its user changes or is disabled', async () => {
  const session = await newSession();
  await store.write([{ query: store.db.updateTable('users').set({ disabled: 1 }) }]);
  expect(await isAlive(session)).toBe(false);
  await store.write([{ query: store.db.updateTable('users').set({ disabled: 0, version: 2 }) }]);
  expect(await isAlive(session)).toBe(false);
});

it('the sweep removes ended sessions only', async () => {
  await newSession();
  nowMs += sessionIdleMs;
  const session = await newSession();
  await sessions.sweep();
  expect(await store.db.selectFrom('sessions').selectAll().execute()).toHaveLength(1);
  expect(await isAlive(session)).toBe(true);
});

it('SM3: the use of an open connection does not revive a session that is idle already', async () => {
  const session = await newSession();
  const { key } = session;
  nowMs += sessionIdleMs;
  await sessions.touch([key]);
  expect(await isAlive(session)).toBe(false);
  expect(await sessions.findEnded([key, 'unknown'])).toEqual([key, 'unknown']);
});

it('SM3: a request of an unattended page does not count as use', async () => {
  const session = await newSession();
  const { key } = session;
  nowMs += sessionIdleMs - 1000;
  expect(await sessions.find(proofOf(session), '192.0.2.1', { isUse: false })).not.toBeNull();
  expect(await sessions.findEnded([key])).toEqual([]);
  nowMs += 1000;
  expect(await isAlive(session)).toBe(false);
});

it('D12: a session that a wrong clock has ended is valid again when the clock is right', async () => {
  const session = await newSession();
  retentionMs = nowMs;
  const rightMs = nowMs;
  nowMs += 400 * 24 * 3_600_000;
  expect(await isAlive(session)).toBe(false);
  await sessions.sweep();
  nowMs = rightMs;
  expect(await isAlive(session)).toBe(true);
});
