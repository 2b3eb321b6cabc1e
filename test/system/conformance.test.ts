import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Operation } from '@wcc/api';
import { gatewayConformance } from '@wcc/progress/testing';
import type { ConformanceTarget, ConformanceUser } from '@wcc/progress/testing';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import type { CookieSession, TestUser } from '../kit/session.ts';

/** Runs the conformance suite of docs/protocol.md against wcc, with its cookies, tickets, grants and store. */
let server: TestServer;
const users = new Map<string, TestUser>();
const sessions = new Map<string, CookieSession>();

beforeAll(async () => {
  server = await startServer();
  for (const [name, role] of [
    ['publisher', 'operator'],
    ['watcher', 'viewer'],
    ['stranger', 'viewer'],
  ] as const) {
    const user = await createUser(server, name, role);
    users.set(name, user);
    sessions.set(name, await signIn(server, user));
  }
});
afterAll(() => server.close());

const sessionOf = (name: string): CookieSession => sessions.get(name)!;

async function ask<T>(method: string, path: string, body: unknown): Promise<T> {
  const answer = await sessionOf('publisher').request(method, path, { body });
  expect(answer.status, `${method} ${path}: ${answer.text}`).toBeLessThan(300);
  return (answer.text === '' ? undefined : answer.json()) as T;
}

/** The operation belongs to another user, who grants the right to watch and can revoke it. */
async function begin(): ReturnType<ConformanceTarget['begin']> {
  const subject = { kind: 'database', id: 7, name: 'customers' };
  const begun = { action: 'backup_database', subject, total: 100, leaseS: 600 };
  const { operation } = await ask<{ operation: Operation }>('POST', '/api/operations', begun);
  const path = `/api/operations/${operation.id}`;
  await ask('POST', `${path}/grants`, { userName: 'watcher', level: 'watch' });
  return {
    id: operation.id,
    advance: (done) => ask('PATCH', `${path}/progress`, { done }),
    end: () => ask('POST', `${path}/end`, { state: 'succeeded' }),
  };
}

function targetOf({ port, baseUrl }: TestServer): ConformanceTarget {
  return {
    url: `ws://127.0.0.1:${port}/api/ws`,
    origin: baseUrl,
    ticket: (user) => sessionOf(user).ticket(),
    headers: (user: ConformanceUser) => ({ ...sessionOf(user).headers }),
    begin,
    revoke: (operation) =>
      ask('DELETE', `/api/operations/${operation}/grants/${users.get('watcher')!.id}`, undefined),
    endSession: async () => {
      await sessionOf('watcher').request('DELETE', '/api/session');
      sessions.set('watcher', await signIn(server, users.get('watcher')!));
    },
    events: (operation, user) => ({
      url: `${baseUrl}/api/operations/${operation}/events`,
      headers: { ...sessionOf(user).headers },
    }),
    patienceMs: 30_000,
  };
}

it('the server passes every case of the conformance suite', async () => {
  const cases = gatewayConformance(targetOf(server));
  expect(cases.map(({ name }) => name)).toContain('sends gone when the right is revoked, then nothing');
  for (const { name, run } of cases) await expect(run(), name).resolves.toBeUndefined();
});
