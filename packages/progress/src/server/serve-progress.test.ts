import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import { createHub } from './hub.ts';
import { serveProgress } from './serve-progress.ts';
import type { ServeProgressOptions } from './serve/options.ts';
import { copyRecord, ended, moved, newId } from './testkit/record.testkit.ts';
import { ask, startServed, userOfCookie } from './testkit/served.testkit.ts';
import type { Served, ServedOptions } from './testkit/served.testkit.ts';

const all: Served[] = [];
afterEach(async () => {
  for (const served of all.splice(0)) await served.close();
});

async function start(options: ServedOptions = {}): Promise<Served> {
  const served = await startServed(options);
  all.push(served);
  return served;
}

const soon = { timeout: 8000, interval: 10 };
const last = <T>(list: readonly T[]): T | undefined => list.at(-1);

describe('serveProgress', () => {
  it.each(['websocket', 'sse'] as const)(
    'shows its owner an operation until its end over %s',
    async (transport) => {
      const { hub, page } = await start();
      const record = copyRecord({ owner: 'ann' });
      hub.put(record);
      const seen: Snapshot[] = [];
      const client = page('ann').connect({ transport });
      client.watch(record.id, (snapshot) => seen.push(snapshot));
      await expect.poll(() => seen.length, soon).toBeGreaterThan(0);
      hub.put(moved(record, 500));
      await expect.poll(() => last(seen)?.phases[1], soon).toMatchObject({ done: 500 });
      hub.put(ended(moved(record, 1000)));
      await expect.poll(() => last(seen)?.state, soon).toBe('succeeded');
    },
  );

  it.each(['websocket', 'sse'] as const)(
    'lists the operations of the user alone over %s',
    async (transport) => {
      const { hub, page } = await start();
      const [own, foreign] = [copyRecord({ owner: 'ann' }), copyRecord({ owner: 'bob' })];
      for (const record of [own, foreign]) hub.put(record);
      const ids = new Set<string>();
      const client = page('ann').connect({ transport });
      client.watchList('all', ({ id }) => ids.add(id));
      await expect.poll(() => [...ids], soon).toEqual([own.id]);
      const later = copyRecord({ owner: 'ann' });
      for (const record of [copyRecord({ owner: 'bob' }), later]) hub.put(record);
      await expect.poll(() => [...ids], soon).toEqual([own.id, later.id]);
    },
  );

  it('shows what canWatch allows, with the object that user returned', async () => {
    const { hub, page } = await start({
      user: ({ headers }) => Promise.resolve({ id: String(headers.cookie), team: 'blue' }),
      canWatch: (user, { label }) => (user as { team?: string }).team === label,
    });
    const record = copyRecord({ owner: 'bob', label: 'blue' });
    hub.put(record);
    const seen: string[] = [];
    page('ann')
      .connect()
      .watch(record.id, ({ id }) => seen.push(id));
    await expect.poll(() => seen.length, soon).toBeGreaterThan(0);
  });

  it('leaves other requests and upgrades to the application', async () => {
    const { page, port, server } = await start();
    for (const path of ['/', '/progress', '/progress/', '/progress/other', '/progressive/ticket'])
      expect((await page('ann').ask('GET', path)).body).toBe(`app ${path}`);
    const upgrading = { connection: 'Upgrade', upgrade: 'h2c' };
    const headers = { host: `127.0.0.1:${port}`, ...upgrading };
    const answered = await ask(port, { method: 'GET', path: '/other', headers });
    expect(answered).toMatchObject({ status: 200, body: 'app /other' });
    server.on('upgrade', (request, socket) => socket.end(`HTTP/1.1 299 Own\r\n\r\n${request.url ?? ''}`));
    expect(await ask(port, { method: 'GET', path: '/other', headers })).toMatchObject({ status: 299 });
  });

  it('works before the listeners of the application are attached, and leaves them alone after close', async () => {
    const server = createServer();
    const hub = createHub();
    const progress = serveProgress(server, { hub, user: () => 'ann' });
    server.on('request', (request, response) => response.end(`app ${request.url ?? ''}`));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const path = '/progress/ticket';
    const headers = { origin: `http://127.0.0.1:${port}` };
    expect((await ask(port, { method: 'POST', path, headers })).body).toContain('"ticket"');
    await progress.close();
    expect((await ask(port, { method: 'POST', path, headers })).body).toBe(`app ${path}`);
    expect(server.listenerCount('upgrade')).toBe(0);
    hub.close();
    server.close();
  });

  it('answers refusals with a code and a hint', async () => {
    const { page, errors } = await start();
    const json = { 'content-type': 'application/json' };
    const cases = [
      [null, 'POST', '/progress/ticket', {}, 401, 'unauthenticated'],
      ['ann', 'GET', '/progress/ticket', {}, 405, 'method_not_allowed'],
      ['ann', 'POST', '/progress/events', { body: '[]' }, 415, 'not_json'],
      ['ann', 'POST', '/progress/events', { headers: json, body: '{' }, 400, 'malformed'],
      ['ann', 'POST', '/progress/events', { headers: json, body: '[{"t":"unsub"}]' }, 400, 'malformed'],
      ['ann', 'POST', '/progress/events', { headers: json, body: `[${' '.repeat(20_000)}]` }, 413, 'too_big'],
      ['ann', 'GET', `/progress/operations/${newId()}/events`, {}, 404, 'not_found'],
      ['ann', 'GET', '/progress', { headers: { 'sec-websocket-key': 'x' } }, 426, 'upgrade_required'],
    ] as const;
    for (const [user, method, path, extra, status, code] of cases) {
      const answer = await page(user).ask(method, path, extra);
      expect([path, answer.status, JSON.parse(answer.body)]).toMatchObject([path, status, { code }]);
      expect(answer.headers['cache-control']).toBe('no-store');
    }
    expect(errors).toEqual([]);
  });

  it('counts sockets and event streams of a user together, and refuses too many with 429 and 4409', async () => {
    const { page, progress } = await start({ limits: { socketsPerUser: 2 } });
    const [one, two] = [page('ann').connect({ transport: 'sse' }), page('ann').connect()];
    await expect.poll(() => progress.connections, soon).toBe(2);
    expect((await page('ann').ask('GET', '/progress/events')).status).toBe(429);
    const third = page('ann').connect();
    await expect.poll(() => third.status.state, soon).not.toBe('connecting');
    await expect.poll(() => third.status.code, soon).not.toBeNull();
    await expect.poll(() => progress.connections, soon).toBe(2);
    one.close();
    two.close();
    await expect.poll(() => progress.connections, soon).toBe(0);
    expect((await page('ann').ask('GET', '/progress/events')).status).toBe(200);
  });
});

describe('serveProgress: sessions', () => {
  it('opens no socket by the ticket of another user, session or Origin, and each ticket once', async () => {
    const { page, port } = await start({
      user: ({ headers }) => {
        const [id, session] = (/sid=([^;]+)/.exec(headers.cookie ?? '')?.[1] ?? '').split('.');
        return id === undefined || id === '' || session === undefined ? null : { id, session };
      },
    });
    const upgrade = async (
      user: string,
      ticket: string,
      origin = `http://127.0.0.1:${port}`,
    ): Promise<number> =>
      (
        await ask(port, {
          method: 'GET',
          path: '/progress',
          headers: {
            origin,
            cookie: `sid=${user}`,
            connection: 'Upgrade',
            upgrade: 'websocket',
            'sec-websocket-version': '13',
            'sec-websocket-key': Buffer.alloc(16).toString('base64'),
            'sec-websocket-protocol': `wcc.v1, wcc.ticket.${ticket}`,
          },
        }).catch(() => ({ status: 101 }))
      ).status;
    const issue = async (): Promise<string> => {
      const { body } = await page('ann.1').ask('POST', '/progress/ticket');
      return (JSON.parse(body) as { ticket: string }).ticket;
    };
    expect(await upgrade('bob.1', await issue())).toBe(401);
    expect(await upgrade('ann.2', await issue())).toBe(401);
    expect(await upgrade('', await issue())).toBe(401);
    expect(await upgrade('ann.1', 'guessed')).toBe(401);
    expect(await upgrade('ann.1', await issue(), `http://localhost:${port}`)).toBe(403);
  });

  it('ends the connections of a user on closeUser, and those of a request that lost its user', async () => {
    const signedOut = new Set<string>();
    const { page, progress } = await start({
      user: ({ headers }) => {
        const user = /sid=([^;]+)/.exec(headers.cookie ?? '')?.[1] ?? null;
        return user !== null && signedOut.has(user) ? null : user;
      },
    });
    const pages = [
      page('ann').connect(),
      page('ann').connect({ transport: 'sse' }),
      page('bob').connect(),
      page('bob').connect({ transport: 'sse' }),
    ];
    await expect.poll(() => progress.connections, soon).toBe(4);
    signedOut.add('ann');
    expect(progress.closeUser('ann')).toBe(2);
    await expect.poll(() => progress.connections, soon).toBe(2);
    signedOut.add('bob');
    await progress.reauthorize();
    await expect.poll(() => progress.connections, soon).toBe(0);
    await expect.poll(() => pages.map(({ status }) => status.state), soon).not.toContain('online');
  });

  it.each(['websocket', 'sse'] as const)(
    'asks canWatch and canAct with the newest object of user after reauthorize, over %s',
    async (transport) => {
      let role = 'admin';
      const { hub, page, progress } = await start({
        user: () => ({ id: 'ann', role }),
        canWatch: (user) => (user as { role?: string }).role === 'admin',
      });
      const record = copyRecord({ owner: 'bob' });
      hub.put(record);
      const seen: Snapshot[] = [];
      const gone: string[] = [];
      const client = page('ann').connect({ transport });
      client.onGone((_id, why) => gone.push(why));
      client.watch(record.id, (snapshot) => seen.push(snapshot));
      await expect.poll(() => seen.length, soon).toBeGreaterThan(0);
      role = 'guest';
      await progress.reauthorize();
      await expect.poll(() => gone, soon).toEqual(['revoked']);
      const before = seen.length;
      hub.put(moved(record, 700));
      hub.flush();
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(seen).toHaveLength(before);
    },
  );

  it('checks the rights of every connection although user never answers for one', async () => {
    let isHanging = false;
    let isPublic = true;
    const { hub, page, progress, errors } = await start({
      user: (request) =>
        isHanging && userOfCookie(request) === 'bob' ? new Promise(() => undefined) : userOfCookie(request),
      canWatch: () => isPublic,
      limits: { upgradeMs: 200 },
    });
    const { id } = hub.put(copyRecord({ owner: 'carl' }));
    const gone: string[] = [];
    for (const user of ['ann', 'bob']) {
      const client = page(user).connect();
      client.onGone(() => gone.push(user));
      await new Promise((resolve) => client.watch(id, resolve));
    }
    expect(progress.connections).toBe(2);
    isHanging = true;
    isPublic = false;
    await progress.reauthorize();
    await expect.poll(() => gone.toSorted(), soon).toEqual(['ann', 'bob']);
    expect(progress.connections).toBe(2);
    expect(errors).toMatchObject([{ stage: 'user', error: { code: 'authentication_timeout' } }]);
    expect((await page('bob').ask('POST', '/progress/ticket')).status).toBe(503);
  });

  it('keeps connections while the host cannot say who sent a request, and reports it', async () => {
    let isDown = false;
    const { page, progress, errors } = await start({
      user: async () => {
        if (isDown) throw new Error('session store is down');
        return 'ann';
      },
    });
    const client = page('ann').connect();
    await expect.poll(() => client.status.state, soon).toBe('online');
    isDown = true;
    await progress.reauthorize();
    expect(progress.connections).toBe(1);
    expect(errors).toMatchObject([{ stage: 'user' }]);
    expect((await page('ann').ask('POST', '/progress/ticket')).status).toBe(503);
  });
});

describe('serveProgress: actions', () => {
  it('runs onAction for the owner, and offers it to pages', async () => {
    const done: unknown[] = [];
    const { hub, page } = await start({
      onAction: (id, verb, user) => {
        done.push([id, verb, user.id]);
        hub.put({ ...record, state: 'cancelling' });
      },
    });
    const record = copyRecord({ owner: 'ann' });
    hub.put(record);
    const seen: unknown[] = [];
    const client = page('ann').connect();
    client.watch(record.id, ({ state }, may) => seen.push([state, may]));
    await expect
      .poll(() => seen, soon)
      .toContainEqual(['running', { cancel: true, pause: false, resume: false, retry: false }]);
    await client.act(record.id, 'cancel');
    expect(done).toEqual([[record.id, 'cancel', 'ann']]);
    await expect.poll(() => JSON.stringify(last(seen)), soon).toContain('cancelling');
  });

  it('runs the action of an id that the host chose', async () => {
    const done: string[] = [];
    const { hub, page } = await start({ onAction: (id) => done.push(id) });
    const record = copyRecord({ owner: 'ann', id: 'queue/"7" é' });
    hub.put(record);
    await page('ann').connect().act(record.id, 'cancel');
    expect(done).toEqual([record.id]);
  });

  it('answers unknown, foreign, unoffered and unknown verbs with equal bytes, and calls nothing', async () => {
    let calls = 0;
    const withAction = await start({ onAction: () => (calls += 1) });
    const without = await start();
    const bodies = new Set<string>();
    for (const { hub, page } of [withAction, without]) {
      const [own, foreign] = [copyRecord({ owner: 'ann' }), copyRecord({ owner: 'bob' })];
      for (const record of [own, foreign]) hub.put(record);
      const tries = [
        '%/cancel',
        `${encodeURIComponent('a/b')}/cancel`,
        `${foreign.id}/cancel`,
        `${newId()}/cancel`,
        `${own.id}/pause`,
        `${own.id}/destroy`,
        'x/cancel',
      ];
      for (const each of tries) {
        const { status, body, headers } = await page('ann').ask('POST', `/progress/operations/${each}`);
        bodies.add(JSON.stringify([status, body, { ...headers, date: '' }]));
      }
    }
    expect(bodies.size).toBe(1);
    expect([...bodies][0]).toContain('not_found');
    expect(calls).toBe(0);
  });

  it('refuses what the state does not allow with 409, and a failing action with 500', async () => {
    const { hub, page, errors } = await start({
      canAct: () => true,
      onAction: () => Promise.reject(new Error('disk is gone: secret detail')),
    });
    const record = copyRecord({ owner: 'ann' });
    hub.put(record);
    const failed = await page('ann').ask('POST', `/progress/operations/${record.id}/cancel`);
    expect(failed.status).toBe(500);
    expect(failed.body).not.toContain('secret');
    expect(errors).toMatchObject([{ stage: 'action', error: { message: 'disk is gone: secret detail' } }]);
    hub.put(ended(record));
    expect((await page('ann').ask('POST', `/progress/operations/${record.id}/cancel`)).status).toBe(409);
  });

  it('reports for each cause of a foreign Origin once what to do', async () => {
    const { port, errors } = await start();
    const host = `127.0.0.1:${port}`;
    const refused = [
      { host, origin: 'http://app.example.org' },
      { host },
      { host, cookie: 'sid=ann' },
      { host, origin: 'http://other.example.org' },
    ];
    for (const headers of refused)
      expect(await ask(port, { method: 'POST', path: '/progress/ticket', headers })).toMatchObject({
        status: 403,
        body: expect.stringContaining('bearer token'),
      });
    expect(errors.map(({ error }) => error)).toMatchObject([
      { code: 'foreign_origin', hint: expect.stringContaining('the option origin') },
      { code: 'foreign_origin', hint: expect.stringContaining('Authorization: Bearer') },
      { code: 'foreign_origin', hint: expect.stringContaining('sends the Origin of the pages') },
    ]);
    const headers = { host, authorization: 'Bearer t' };
    expect((await ask(port, { method: 'POST', path: '/progress/ticket', headers })).status).toBe(401);
  });

  it('refuses a request of a foreign page with 403 before it calls anything', async () => {
    let calls = 0;
    const count = (): string => {
      calls += 1;
      return 'ann';
    };
    const { hub, port } = await start({ user: count, onAction: count });
    const record = copyRecord({ owner: 'ann' });
    hub.put(record);
    for (const origin of [
      'http://evil.example',
      `http://localhost:${port}`,
      'null',
      `https://127.0.0.1:${port + 1}`,
    ])
      for (const path of [`/progress/operations/${record.id}/cancel`, '/progress/ticket', '/progress/events'])
        expect(
          (await ask(port, { method: 'POST', path, headers: { origin, cookie: 'sid=ann' } })).status,
        ).toBe(403);
    expect(calls).toBe(0);
  });
});

describe('serveProgress: misuse', () => {
  const hub = createHub();
  const server = createServer();
  const user = (): null => null;
  const misuses = [
    { what: 'without user', options: { hub }, code: 'user_required' },
    { what: 'without hub', options: { user }, code: 'invalid_option' },
    { what: 'with a user that is no function', options: { hub, user: 'ann' }, code: 'invalid_option' },
    { what: 'with an unknown option', options: { hub, user, authorise: user }, code: 'invalid_option' },
    { what: 'with a path without slash', options: { hub, user, path: 'progress' }, code: 'invalid_option' },
    {
      what: 'with an origin that is none',
      options: { hub, user, origin: 'a.example' },
      code: 'invalid_option',
    },
    {
      what: 'with an application',
      target: { listen: user, on: user },
      options: { hub, user },
      code: 'invalid_server',
    },
  ];
  it.each(misuses)(
    'throws a named error with a hint when called $what',
    ({ target = server, options, code }) => {
      const call = (): unknown =>
        serveProgress(target as typeof server, options as never as ServeProgressOptions);
      expect(call).toThrow(expect.objectContaining({ name: 'ProgressError', code }));
      expect(call).toThrow(expect.objectContaining({ hint: expect.stringMatching(/\w{3}/) }));
    },
  );

  it('reports a user that is not an id by name, and reveals nothing to the page', async () => {
    const { page, errors } = await start({ user: (() => 7) as never });
    const answer = await page('ann').ask('POST', '/progress/ticket');
    expect(answer.status).toBe(503);
    expect(errors).toMatchObject([
      { error: { code: 'invalid_user', message: expect.stringContaining('number') } },
    ]);
  });
});
