import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreatedShare, Grant, Operation } from '@wcc/api';
import { readEvents } from '../kit/network/event-stream.ts';
import type { EventReader } from '../kit/network/event-stream.ts';
import { until } from '../kit/poll.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import type { RawAnswer } from '../kit/network/raw-http.ts';
import { noteSecret } from '../kit/secrets.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import type { CookieSession, TestUser } from '../kit/session.ts';
import { createWatcher } from '../kit/watcher.ts';
import type { Watcher, WatcherOptions } from '../kit/watcher.ts';

/** Tests grants and revocations, including their effect on open connections (docs/security.md). */
const otherOrigin = 'https://status.example.org';
let server: TestServer;
const users: Record<string, TestUser> = {};
const sessions: Record<string, CookieSession> = {};
const opened: { close(): void }[] = [];

beforeAll(async () => {
  server = await startServer({ args: ['--foreign-origins', otherOrigin] });
  for (const [name, role] of [
    ['owner', 'operator'],
    ['colleague', 'operator'],
    ['viewer', 'viewer'],
    ['chief', 'admin'],
  ] as const) {
    users[name] = await createUser(server, name, role);
    sessions[name] = await signIn(server, users[name]);
  }
});
afterAll(async () => {
  for (const each of opened) each.close();
  await server.close();
});

/** A published operation of `owner` that runs until the test ends it. It needs no disk. */
async function start(): Promise<string> {
  const answer = await sessions['owner']!.request('POST', '/api/operations', {
    body: {
      action: 'backup_database',
      subject: { kind: 'database', id: 7, name: 'customers' },
      total: 100,
      leaseS: 600,
    },
  });
  expect(answer.status).toBe(202);
  return (answer.json() as { operation: Operation }).operation.id;
}

async function report(id: string, done: number): Promise<void> {
  const path = `/api/operations/${id}/progress`;
  expect((await sessions['owner']!.request('PATCH', path, { body: { done } })).status).toBe(200);
}

async function watch(options: WatcherOptions): Promise<Watcher> {
  const watcher = await createWatcher(server.port, options);
  opened.push(watcher);
  await watcher.waitFor(({ message }) => message.t === 'hello', 'hello');
  return watcher;
}

async function watchAs(name: string): Promise<Watcher> {
  const session = sessions[name]!;
  const ticket = await session.ticket();
  return watch({ session: { cookie: session.cookie, origin: session.origin, ticket } });
}

async function stream(id: string, headers: Record<string, string>): Promise<EventReader> {
  const reader = await readEvents(`${server.baseUrl}/api/operations/${id}/events`, headers);
  opened.push(reader);
  return reader;
}

async function grant(id: string, userName: string, level: 'watch' | 'control'): Promise<Grant> {
  const answer = await sessions['owner']!.request('POST', `/api/operations/${id}/grants`, {
    body: { userName, level },
  });
  expect(answer.status).toBe(201);
  return answer.json() as Grant;
}

async function share(id: string, by = 'owner'): Promise<CreatedShare> {
  const answer = await sessions[by]!.request('POST', `/api/operations/${id}/shares`, {
    body: { name: 'the boss' },
  });
  expect(answer.status).toBe(201);
  const made = answer.json() as CreatedShare;
  noteSecret(made.secret);
  return made;
}

function bearer(secret: string): Record<string, string> {
  return { authorization: `Bearer ${secret}` };
}

function get(path: string, headers: Record<string, string>): Promise<RawAnswer> {
  return rawRequest(`${server.baseUrl}${path}`, { headers });
}

function askTicket(headers: Record<string, string>, body: object = {}): Promise<RawAnswer> {
  return rawRequest(`${server.baseUrl}/api/ws-tickets`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ purpose: 'watch', ...body }),
  });
}

const ticketOf = (answer: RawAnswer): string => noteSecret(String(answer.json()['ticket']));

async function isRefused(options: WatcherOptions): Promise<string> {
  return createWatcher(server.port, options).then(
    (watcher) => {
      watcher.close();
      return 'open';
    },
    (error: Error) => /\d{3}/.exec(error.message)?.[0] ?? error.message,
  );
}

async function newestAudit(what: string): Promise<{ who: string; result: string; subject: string | null }> {
  const { items } = await server.api.audit({ what, limit: 1 });
  expect(items).toHaveLength(1);
  return items[0]!;
}

describe('a grant', () => {
  it('a grant shows a viewer only the granted operation, at once, until its revocation', async () => {
    const id = await start();
    const secret = await start();
    const viewer = sessions['viewer']!;
    const live = await watchAs('viewer');
    live.subscribe('all');
    await live.waitFor(({ message }) => message.t === 'ok', 'the empty list');
    expect((await viewer.request('GET', `/api/operations/${id}`)).status).toBe(404);
    const { userId } = await grant(id, 'viewer', 'watch');
    await live.waitForState(id, ['running']);
    const events = await stream(id, viewer.headers);
    await events.waitFor(({ event }) => event === 'op', 'the first event');
    const record = (await viewer.request('GET', `/api/operations/${id}`)).json() as unknown as Operation;
    expect(record).toMatchObject({ id, ownerName: 'owner', may: { cancel: false, share: false } });
    const { items } = (await viewer.request('GET', '/api/operations')).json() as { items: Operation[] };
    expect(items.map((item) => item.id)).toEqual([id]);
    expect((await viewer.request('POST', `/api/operations/${id}/cancel`)).status).toBe(403);

    const revoked = await sessions['owner']!.request('DELETE', `/api/operations/${id}/grants/${userId}`);
    expect(revoked.status).toBe(204);
    const revokedAtMs = performance.now();
    const gone = await live.waitFor(({ message }) => message.t === 'gone', 'gone');
    expect(gone.message).toEqual({ t: 'gone', op: id, why: 'revoked' });
    await events.waitForEnd();
    console.log(
      `gone ${Math.max(0, Math.round(gone.atMs - revokedAtMs))} ms after the revocation was answered`,
    );
    expect(events.events.at(-1)).toMatchObject({ event: 'gone' });
    const received = live.snapshots.length;
    await report(id, 50);
    await report(secret, 50);
    expect((await viewer.request('GET', `/api/operations/${id}`)).status).toBe(404);
    // The server answers in order, so all earlier messages have arrived.
    live.send({ t: 'sub', id: 9, ops: [{ op: id }] });
    const answer = await live.waitFor(({ message }) => message['id'] === 9, 'the answer to sub');
    expect(answer.message['res']).toEqual([{ op: id, err: 'not_found' }]);
    expect(live.snapshots).toHaveLength(received);
    expect(live.latest.has(secret)).toBe(false);
  });

  it('a grant of control reaches open pages, and never exceeds the role', async () => {
    const id = await start();
    const live = await watchAs('colleague');
    live.subscribe('all');
    await live.waitFor(({ message }) => message.t === 'ok', 'the list');
    await grant(id, 'colleague', 'watch');
    await live.waitForState(id, ['running']);
    await grant(id, 'colleague', 'control');
    const may = await live.waitFor(
      ({ message }) => message.t === 'may' && (message['may'] as { cancel: boolean }).cancel,
      'the right to cancel',
    );
    expect(may.message).toMatchObject({ op: id, may: { cancel: true, share: false } });
    await grant(id, 'viewer', 'control');
    expect((await sessions['viewer']!.request('POST', `/api/operations/${id}/cancel`)).status).toBe(403);
    const cancelled = await sessions['colleague']!.request('POST', `/api/operations/${id}/cancel`);
    expect(cancelled.json()).toMatchObject({ operation: { state: 'cancelling' } });
  });

  it('a grant needs the right to share, with equal answers for unknown users and others’ operations', async () => {
    const id = await start();
    await grant(id, 'colleague', 'control');
    const body = { userName: 'viewer' };
    const path = `/api/operations/${id}/grants`;
    expect((await sessions['colleague']!.request('POST', path, { body })).status).toBe(403);
    const foreignAnswer = await sessions['viewer']!.request('POST', path, { body });
    const unknown = `/api/operations/${'a'.repeat(26)}/grants`;
    const unknownAnswer = await sessions['viewer']!.request('POST', unknown, { body });
    // A viewer may share nothing, so the answer does not depend on the operation.
    expect(foreignAnswer.status).toBe(403);
    expect(foreignAnswer.text).toBe(unknownAnswer.text);
    const unknownUser = await sessions['owner']!.request('POST', path, {
      body: { userName: 'unknown-user' },
    });
    expect(unknownUser.json()).toMatchObject({ status: 422, code: 'invalid_input', field: 'userName' });
    expect((await sessions['chief']!.request('GET', path)).json()).toMatchObject({
      items: [{ userName: 'colleague', level: 'control', grantedBy: 'owner' }],
    });
    expect(await newestAudit('grant.create')).toMatchObject({ who: 'owner', subject: `operation:${id}` });
  });

  it('a grant survives a restart', async () => {
    const id = await start();
    await grant(id, 'viewer', 'watch');
    await server.kill();
    await server.start();
    expect((await sessions['viewer']!.request('GET', `/api/operations/${id}`)).status).toBe(200);
  });
});

describe('a share link', () => {
  it('a share link shows only one operation, in public form, by GET, event stream and socket', async () => {
    const id = await start();
    const other = await start();
    const { secret, link } = await share(id);
    expect(link).toBe(`${server.baseUrl}/shared#${secret}`);
    const record = (await get(`/api/operations/${id}`, bearer(secret))).json() as unknown as Operation;
    expect(record).toMatchObject({ id, owner: '', ownerName: '', label: 'backup_database' });
    expect(record.subject).toEqual({ kind: 'database', id: null, name: 'customers' });
    expect(record).not.toHaveProperty('may');
    for (const path of [`/${id}/log`, `/${other}`, `/${other}/events`])
      expect((await get(`/api/operations${path}`, bearer(secret))).status).toBe(404);
    for (const path of ['/api/operations', '/api/images', '/api/tokens', '/api/users', '/metrics'])
      expect([401, 403]).toContain((await get(path, bearer(secret))).status);

    const events = await stream(id, bearer(secret));
    const ticket = ticketOf(await askTicket({ ...bearer(secret), origin: server.baseUrl }));
    // A signed-in browser opens the link. Its cookie gives no further right.
    const cookie = sessions['viewer']!.cookie;
    const live = await watch({ session: { cookie, ticket, origin: server.baseUrl } });
    live.send({ t: 'sub', id: 1, ops: [{ op: id }, { op: other }] });
    const answer = await live.waitFor(({ message }) => message.t === 'ok', 'the answer to sub');
    expect((answer.message['res'] as { err?: string }[])[1]).toEqual({ op: other, err: 'not_found' });
    await report(id, 30);
    await until(() => live.snapshots.some(({ seq }) => seq > 1), { what: 'the change on the socket' });
    await until(() => (events.latest()?.seq ?? 0) > 1, { what: 'the change on the stream' });
    for (const received of [...live.snapshots, events.latest()!])
      expect(received.ownerName + received.owner).toBe('');
    expect(JSON.stringify([live.frames, events.events])).not.toContain(users['owner']!.id);
  });

  it('a revoked share link ends on all connections at once', async () => {
    const id = await start();
    const { id: shareId, secret } = await share(id);
    const events = await stream(id, bearer(secret));
    const ticket = ticketOf(await askTicket({ ...bearer(secret), origin: server.baseUrl }));
    const unused = ticketOf(await askTicket({ ...bearer(secret), origin: server.baseUrl }));
    const live = await watch({ session: { ticket, origin: server.baseUrl } });
    live.send({ t: 'sub', id: 1, ops: [{ op: id }] });
    await live.waitForState(id, ['running']);
    const path = `/api/operations/${id}/shares/${shareId}`;
    expect((await sessions['owner']!.request('DELETE', path)).status).toBe(204);
    expect(await live.waitForClose()).toBe(4401);
    await events.waitForEnd();
    expect(await isRefused({ session: { ticket: unused, origin: server.baseUrl } })).toBe('401');
    expect((await get(`/api/operations/${id}`, bearer(secret))).status).toBe(401);
    expect((await sessions['owner']!.request('DELETE', path)).status).toBe(404);
    expect(await newestAudit('share.revoke')).toMatchObject({ who: 'owner', subject: `operation:${id}` });
    const used = (await server.api.audit({ what: 'share.use', limit: 200 })).items;
    expect(used.map(({ who }) => who)).toContain(`share:${shareId}`);
  });

  it('a share link ends when its creator may no longer watch', async () => {
    const id = await start();
    const lender = await createUser(server, 'lender', 'admin');
    sessions['lender'] = await signIn(server, lender);
    const { secret } = await share(id, 'lender');
    const ticket = ticketOf(await askTicket({ ...bearer(secret), origin: server.baseUrl }));
    const live = await watch({ session: { ticket, origin: server.baseUrl } });
    await server.api.changeUser(lender.id, { role: 'operator' });
    expect(await live.waitForClose()).toBe(4401);
    expect((await get(`/api/operations/${id}`, bearer(secret))).status).toBe(401);
  });
});

describe('a page of another origin', () => {
  async function ownToken(body: object): Promise<{ id: string; secret: string }> {
    const answer = await sessions['owner']!.request('POST', '/api/tokens', { body });
    expect(answer.status).toBe(201);
    const token = answer.json() as { id: string; secret: string };
    noteSecret(token.secret);
    return token;
  }

  it('a cross-origin page connects once with its backend’s ticket, from exactly that origin', async () => {
    const id = await start();
    const token = await ownToken({ name: 'backend', scope: 'read' });
    const wanted = { operations: [id], origin: otherOrigin };
    const answer = await askTicket(bearer(token.secret), wanted);
    expect(answer.json()).toMatchObject({ operations: [id] });
    const other = ticketOf(await askTicket(bearer(token.secret), wanted));
    const ticket = ticketOf(answer);
    expect(await isRefused({ session: { ticket: other, origin: 'https://evil.example.org' } })).toBe('403');
    expect(await isRefused({ session: { ticket: other, origin: server.baseUrl } })).toBe('401');
    const live = await watch({ session: { ticket, origin: otherOrigin } });
    expect(await isRefused({ session: { ticket, origin: otherOrigin } })).toBe('401');
    live.subscribe('all');
    const received = await live.waitForState(id, ['running']);
    expect(received).toMatchObject({ ownerName: '', label: 'backup_database' });
    expect([...live.latest.keys()]).toEqual([id]);
    const revoked = await sessions['owner']!.request('DELETE', `/api/tokens/${token.id}`);
    expect(revoked.status).toBe(204);
    expect(await live.waitForClose()).toBe(4401);
    expect(await newestAudit('ticket.foreign')).toMatchObject({ subject: `origin:${otherOrigin}` });
  });

  it('a cross-origin page gets no ticket by cookie, for an unlisted origin, or for a forbidden operation', async () => {
    const id = await start();
    const token = await ownToken({ name: 'backend 2', scope: 'read' });
    const evil = { operations: [id], origin: 'https://evil.example.org' };
    expect((await askTicket(bearer(token.secret), evil)).status).toBe(403);
    expect((await askTicket(bearer(token.secret), { origin: otherOrigin })).status).toBe(422);
    const cookie = { ...sessions['owner']!.headers, origin: server.baseUrl };
    expect((await askTicket(cookie, { operations: [id], origin: otherOrigin })).status).toBe(403);
    const stranger = await sessions['colleague']!.request('POST', '/api/tokens', { body: { name: 'x' } });
    const secret = noteSecret((stranger.json() as { secret: string }).secret);
    expect((await askTicket(bearer(secret), { operations: [id], origin: otherOrigin })).status).toBe(404);
  });

  it('a listed origin gets CORS answers at two addresses only, never with credentials', async () => {
    const id = await start();
    const { secret } = await share(id);
    const preflight = (path: string, method: string, origin: string): Promise<RawAnswer> =>
      rawRequest(`${server.baseUrl}${path}`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization',
          'sec-fetch-site': 'cross-site',
        },
      });
    const allowed = await preflight('/api/ws-tickets', 'POST', otherOrigin);
    expect(allowed.status).toBe(204);
    expect(allowed.headers).toMatchObject({ 'access-control-allow-origin': otherOrigin, vary: 'Origin' });
    for (const [path, method, origin] of [
      ['/api/ws-tickets', 'POST', 'https://evil.example.org'],
      ['/api/session', 'POST', otherOrigin],
      ['/api/operations', 'POST', otherOrigin],
      [`/api/operations/${id}/cancel`, 'POST', otherOrigin],
    ] as const) {
      const refused = await preflight(path, method, origin);
      expect(refused.status).toBeGreaterThanOrEqual(400);
      expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
    }
    const page = { origin: otherOrigin, 'sec-fetch-site': 'cross-site' };
    const record = await get(`/api/operations/${id}`, { ...page, ...bearer(secret) });
    expect(record.status).toBe(200);
    expect(record.headers['access-control-allow-origin']).toBe(otherOrigin);
    expect(record.headers).not.toHaveProperty('access-control-allow-credentials');
    const byCookie = await get(`/api/operations/${id}`, { ...page, ...sessions['owner']!.headers });
    expect(byCookie.status).toBe(401);
    const cancel = await rawRequest(`${server.baseUrl}/api/operations/${id}/cancel`, {
      method: 'POST',
      headers: { ...page, ...sessions['owner']!.headers },
    });
    expect(cancel.status).toBe(403);
    const ticket = ticketOf(await askTicket({ ...page, ...bearer(secret) }));
    const live = await watch({ session: { ticket, origin: otherOrigin } });
    live.send({ t: 'sub', id: 1, ops: [{ op: id }] });
    await live.waitForState(id, ['running']);
  });
});

describe('sessions and tokens', () => {
  it('a new password ends every other session of the user and keeps the present one', async () => {
    const user = await createUser(server, 'changer', 'operator');
    sessions['here'] = await signIn(server, user);
    sessions['there'] = await signIn(server, user);
    const [here, there] = [await watchAs('here'), await watchAs('there')];
    const put = (body: object): Promise<RawAnswer> =>
      sessions['here']!.request('PUT', '/api/session/password', { body });
    const next = noteSecret('a new and long passphrase 7');
    expect((await put({ current: 'wrong', next })).json()).toMatchObject({
      status: 422,
      field: 'current',
    });
    expect(await newestAudit('password.change')).toMatchObject({
      who: 'changer',
      result: 'wrong_credentials',
    });
    expect((await put({ current: user.password, next })).status).toBe(204);
    expect(await there.waitForClose()).toBe(4401);
    expect((await sessions['there'].request('GET', '/api/session')).status).toBe(401);
    expect((await sessions['here'].request('GET', '/api/session')).status).toBe(200);
    expect(await newestAudit('password.change')).toMatchObject({ who: 'changer', result: 'ok' });
    // The session's socket still answers, and a new one opens.
    here.subscribe('mine');
    await here.waitFor(({ message }) => message.t === 'ok', 'the open socket to answer');
    expect(here.closed).toBeNull();
    (await watchAs('here')).close();
    await expect(signIn(server, user)).rejects.toThrow('401');
    await signIn(server, { ...user, password: next });
  });

  it('a revoked token closes its socket and event stream; administrators see and revoke every token', async () => {
    const id = await start();
    const answer = await sessions['owner']!.request('POST', '/api/tokens', {
      body: { name: 'watcher', scope: 'read', expiresInDays: 1 },
    });
    const token = answer.json() as { id: string; secret: string };
    noteSecret(token.secret);
    const live = await watch({ token: token.secret });
    const events = await stream(id, bearer(token.secret));
    const all = (await sessions['chief']!.request('GET', '/api/tokens?owner=all')).json() as {
      items: { id: string; userName: string }[];
    };
    expect(all.items).toContainEqual(expect.objectContaining({ id: token.id, userName: 'owner' }));
    expect((await sessions['owner']!.request('GET', '/api/tokens?owner=all')).status).toBe(403);
    const revoked = await sessions['chief']!.request('DELETE', `/api/tokens/${token.id}`);
    expect(revoked.status).toBe(204);
    expect(await live.waitForClose()).toBe(4401);
    await events.waitForEnd();
    expect((await get(`/api/operations/${id}`, bearer(token.secret))).status).toBe(401);
  });

  it('sign-out closes sockets and event streams of that session only', async () => {
    const id = await start();
    sessions['second'] = await signIn(server, users['owner']!);
    const [kept, live] = [await watchAs('owner'), await watchAs('second')];
    const events = await stream(id, sessions['second'].headers);
    expect((await sessions['second'].request('DELETE', '/api/session')).status).toBe(204);
    expect(await live.waitForClose()).toBe(4401);
    await events.waitForEnd();
    kept.subscribe('mine');
    await kept.waitFor(({ message }) => message.t === 'ok', 'the other session to answer');
    expect(kept.closed).toBeNull();
  });
});
