import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { registerImage, waitForState } from '../kit/operations.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import type { RawAnswer, RawRequest } from '../kit/network/raw-http.ts';
import { countSecrets, findSecrets, noteSecret } from '../kit/secrets.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createCookieSession, createUser, readFirstSignInLink, signIn } from '../kit/session.ts';
import type { CookieSession } from '../kit/session.ts';
import { createWatcher } from '../kit/watcher.ts';

/** Uses every kind of secret, then searches logs, records and the database for them (docs/security.md). */
let server: TestServer;
let admin: CookieSession;

beforeAll(async () => {
  // The trace level logs every line.
  server = await startServer({ args: ['--log-level', 'trace'] });
});
afterAll(() => server.close());

async function signInByLink(): Promise<CookieSession> {
  const link = await readFirstSignInLink(server);
  expect(statSync(join(server.dataDir, 'initial-admin-link')).mode & 0o777).toBe(0o600);
  const secret = link.hash.slice(1);
  const password = noteSecret('a password of the first admin');
  const body = JSON.stringify({ secret, name: 'admin', password });
  const headers = { origin: server.baseUrl, 'content-type': 'application/json' };
  const answer = await rawRequest(`${server.baseUrl}/api/first-sign-in`, { method: 'POST', headers, body });
  expect(answer.status).toBe(200);
  const again = await rawRequest(`${server.baseUrl}/api/first-sign-in`, { method: 'POST', headers, body });
  expect(again.json()).toMatchObject({ code: 'link_used' });
  return createCookieSession(server.baseUrl, answer);
}

async function useEverySecret(): Promise<void> {
  admin = await signInByLink();
  const user = await createUser(server, 'someone', 'operator');
  const session = await signIn(server, user);
  await signIn(server, { name: user.name, password: noteSecret('a wrong but secret password') }).catch(
    () => null,
  );
  const made = await session.request('POST', '/api/tokens', { body: { name: 'automation' } });
  const token = noteSecret((made.json() as { secret: string }).secret);
  const watcher = await createWatcher(server.port, {
    session: { cookie: session.cookie, ticket: await session.ticket(), origin: server.baseUrl },
  });
  watcher.subscribe('all');
  // A refused ticket is as secret as an accepted one.
  const replayed = noteSecret(await session.ticket());
  for (const cookie of [session.cookie, admin.cookie]) {
    await createWatcher(server.port, {
      session: { cookie, ticket: replayed, origin: 'http://example.org' },
    }).then(
      (unwanted) => unwanted.close(),
      () => null,
    );
  }
  for (const headers of [
    { authorization: `Bearer ${token}` },
    { authorization: `Bearer ${noteSecret('wcc_0123456789012345678901234567890123456789')}` },
    { ...session.headers, authorization: 'Basic nonsense' },
  ]) {
    await rawRequest(`${server.baseUrl}/api/operations`, { headers });
    await rawRequest(`${server.baseUrl}/api/no-such-thing`, { method: 'POST', headers, body: '{' });
  }
  watcher.close();
  await publishBy(session);
  await changePassword(session, user.password);
  await session.request('DELETE', '/api/session');
}

/** Uses a publish token where it is allowed, where it is forbidden, and at unknown addresses. */
async function publishBy(session: CookieSession): Promise<void> {
  const made = await session.request('POST', '/api/tokens', { body: { name: 'ci', scope: 'publish' } });
  const token = noteSecret((made.json() as { secret: string }).secret);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const ask = (method: string, path: string, body?: unknown): Promise<RawAnswer> =>
    rawRequest(`${server.baseUrl}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const subject = { kind: 'database', name: 'orders' };
  const begun = await ask('POST', '/api/operations', { action: 'backup_database', subject });
  expect(begun.status).toBe(202);
  const { id } = (begun.json() as { operation: { id: string } }).operation;
  expect((await ask('PATCH', `/api/operations/${id}/progress`, { add: 1, phase: 'upload' })).status).toBe(
    200,
  );
  expect((await ask('PATCH', `/api/operations/${id}/progress`, { authorization: token })).status).toBe(400);
  expect((await ask('GET', `/api/operations/${id}/events`)).status).toBeGreaterThanOrEqual(400);
  expect((await ask('GET', '/metrics')).status).toBe(403);
  await shareOf(session, id);
  const error = { code: 'disk_broken', message: 'The disk is broken.' };
  expect((await ask('POST', `/api/operations/${id}/end`, { state: 'failed', error })).status).toBe(200);
}

/** Uses a share link by request, event stream and ticket, and again after its revocation. */
async function shareOf(session: CookieSession, operation: string): Promise<void> {
  const shares = `/api/operations/${operation}/shares`;
  const made = await session.request('POST', shares, { body: { name: 'for the customer' } });
  expect(made.status, made.text).toBe(201);
  const { id, secret } = made.json() as { id: string; secret: string };
  const headers = { authorization: `Bearer ${noteSecret(secret)}` };
  const ask = (path: string, init: RawRequest = {}): Promise<RawAnswer> =>
    rawRequest(`${server.baseUrl}${path}`, { ...init, headers: { ...headers, ...init.headers } });
  expect((await ask(`/api/operations/${operation}`)).status).toBe(200);
  const ticket = await ask('/api/ws-tickets', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: server.baseUrl },
    body: JSON.stringify({ purpose: 'watch', operations: [operation] }),
  });
  expect(ticket.status, ticket.text).toBe(200);
  noteSecret((ticket.json() as { ticket: string }).ticket);
  const events = ask(`/api/operations/${operation}/events`);
  expect((await session.request('DELETE', `${shares}/${id}`)).status).toBe(204);
  // The stream ends with its share link, or was refused because the link had ended.
  expect([200, 401, 404]).toContain((await events).status);
  expect((await ask(`/api/operations/${operation}`)).status).toBe(401);
  expect((await session.request('GET', shares)).text).not.toContain(secret);
}

/** The old password, the new one, and a wrong one. */
async function changePassword(session: CookieSession, current: string): Promise<void> {
  const change = (from: string, next: string): Promise<RawAnswer> =>
    session.request('PUT', '/api/session/password', { body: { current: from, next } });
  const next = noteSecret('another password of some length');
  expect((await change(noteSecret('not the present password'), next)).status).not.toBe(204);
  expect((await change(current, next)).status).toBe(204);
}

it('no log, operation record, audit record or file contains a secret', async () => {
  await useEverySecret();
  await makeRandomImage(join(server.poolDir, 'source.raw'), MiB);
  const image = await registerImage(server, 'source.raw');
  const { operation } = await server.api.copyImage(image.id, { name: 'copy.raw' });
  await waitForState(server, operation.id, { states: ['succeeded'] });
  const audit = await server.api.audit({ limit: 200 });
  const records = JSON.stringify([
    audit,
    await server.api.operations(),
    await server.api.tokens(),
    await server.api.users(),
    (await rawRequest(`${server.baseUrl}/metrics`, { headers: { authorization: `Bearer ${server.token}` } }))
      .text,
  ]);
  expect(audit.items.length).toBeGreaterThan(3);
  await server.stop();
  expect(countSecrets()).toBeGreaterThan(13);
  // An empty log would pass, so the log must contain the requests.
  expect(server.log()).toMatch(/first-sign-in/);
  expect(findSecrets(server.log())).toEqual([]);
  expect(findSecrets(records)).toEqual([]);
  const files = filesIn(server.dataDir, server.poolDir).map((path) => ({
    path,
    secrets: findSecrets(readFileSync(path, 'latin1')),
  }));
  expect(files.length).toBeGreaterThan(3);
  expect(files.filter(({ secrets }) => secrets.length > 0)).toEqual([]);
});

function filesIn(...directories: readonly string[]): string[] {
  return directories
    .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)))
    .filter((path) => statSync(path).isFile());
}

it('the log contains no query, no cookie and no header with a secret', () => {
  const urls = [...server.log().matchAll(/"url":"([^"]*)"/g)].map(([, url]) => url!);
  expect(urls.length).toBeGreaterThan(10);
  expect(urls.filter((url) => /[?#]/.test(url))).toEqual([]);
  expect(server.log()).not.toMatch(/"(cookie|authorization|sec-websocket-protocol)":"(?!\[redacted)/i);
});
