import { access, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditStatement } from '../storage/audit.ts';
import { verifyStored } from '../storage/audit.testkit.ts';
import type { Answer, ServerUnderTest } from './server.testkit.ts';
import { adminToken, password, sessionCookie, startTestServer } from './server.testkit.ts';

let server: ServerUnderTest;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());

const admin = { bearer: adminToken };
const signIn = (name: string, secret = password): Promise<Answer> =>
  server.ask('POST', '/api/session', { body: { name, password: secret } });

async function audited(): Promise<string[]> {
  const { json } = await server.ask('GET', '/api/audit?limit=200', admin);
  const items = json['items'] as { who: string; what: string; result: string }[];
  return items.toReversed().map(({ who, what, result }) => `${who}: ${what}: ${result}`);
}

describe('the first sign-in', () => {
  const linkFile = (): string => join(server.dataDir, 'initial-admin-link');
  const redeem = (secret: string, more: object = {}): Promise<Answer> =>
    server.ask('POST', '/api/first-sign-in', { body: { secret, password, ...more } });

  it('creates the first administrator once and deletes the link file', async () => {
    expect((await stat(linkFile())).mode & 0o777).toBe(0o600);
    const link = new URL((await readFile(linkFile(), 'utf8')).trim());
    expect([link.origin, link.pathname, link.search]).toEqual([server.origin, '/first-sign-in', '']);
    const secret = link.hash.slice(1);
    expect((await redeem(secret, { password: 'short' })).json).toMatchObject({
      code: 'invalid_input',
      field: 'password',
    });
    expect((await redeem(`${secret.slice(1)}x`)).json['code']).toBe('link_used');

    const answers = await Promise.all([redeem(secret), redeem(secret), redeem(secret)]);
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['200', '401', '401']);
    const winner = answers.find(({ status }) => status === 200)!;
    const session = await server.ask('GET', '/api/session', { cookie: sessionCookie(winner) });
    expect(session.json['user']).toMatchObject({ name: 'admin', role: 'admin' });
    await expect(access(linkFile())).rejects.toThrow(/ENOENT/);
    const lines = await audited();
    expect(lines.filter((line) => line === 'admin: first-sign-in: ok')).toHaveLength(1);
    expect(lines[0]).toBe('(unknown): first-sign-in: link_used');
    expect(server.log()).not.toContain(secret);
  });

  it('SL9: refuses a password that is the own name, and a reserved name (SL7)', async () => {
    const secret = (await readFile(linkFile(), 'utf8')).trim().split('#')[1]!;
    const own = await redeem(secret, { name: 'yamada.hanako', password: 'Yamada-Hanako1' });
    expect(own.json).toMatchObject({ code: 'invalid_input', field: 'password' });
    expect(own.text).toContain('the name of the user');
    const reserved = await redeem(secret, { name: 'admin-token' });
    expect(reserved.json).toMatchObject({ code: 'invalid_input', field: 'name' });
    expect((await redeem(secret)).status).toBe(200);
  });

  it('is refused once an administrator exists', async () => {
    const secret = (await readFile(linkFile(), 'utf8')).trim().split('#')[1]!;
    await server.addUser('boss', 'admin');
    expect((await redeem(secret)).json['code']).toBe('link_used');
    await expect(access(linkFile())).rejects.toThrow(/ENOENT/);
  });
});

describe('signing in', () => {
  it('sets a cookie that scripts and other sites cannot read', async () => {
    await server.addUser('sato');
    const answer = await signIn('sato');
    expect(answer.headers['set-cookie']?.[0]).toMatch(
      /^wcc_sid_\d+=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(answer.json).toMatchObject({ user: { name: 'sato', role: 'operator' }, version: '0.0.0-test' });
    expect(answer.json['expiresInMs']).toBeGreaterThan(11 * 3_600_000);
    const rows = await server.running.store.db.selectFrom('sessions').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(sessionCookie(answer).split('=')[1]);
  });

  it('gives the same answer with the same work for known and unknown names', async () => {
    await server.addUser('sato');
    // Processor time of this process, because another process may take the time of the clock.
    const spentMicros: Record<string, number[]> = { sato: [], unknown: [] };
    const texts = new Set<string>();
    for (let round = 0; round < 6; round += 1) {
      for (const name of ['sato', 'unknown']) {
        const before = process.cpuUsage();
        texts.add((await signIn(name, 'not the password')).text);
        const { user, system } = process.cpuUsage(before);
        spentMicros[name]?.push(user + system);
      }
    }
    expect(texts.size).toBe(1);
    const [known = 0, unknown = 0] = Object.values(spentMicros).map((all) => Math.min(...all));
    // Without a hash of the same cost, an unknown name would take a twentieth of the time.
    expect(unknown).toBeGreaterThan(known / 3);
    expect(unknown).toBeLessThan(known * 3);
  });

  it('is refused for a disabled user, and never records unknown names', async () => {
    const id = await server.addUser('sato');
    await server.ask('PATCH', `/api/users/${id}`, { ...admin, body: { disabled: true } });
    expect((await signIn('sato')).json['code']).toBe('wrong_credentials');
    expect((await signIn('hunter2-typed-here')).json['code']).toBe('wrong_credentials');
    const lines = await audited();
    expect(lines.slice(-2)).toEqual([
      'sato: session.create: wrong_credentials',
      '(unknown): session.create: wrong_credentials',
    ]);
    expect(server.log()).not.toContain('hunter2');
  });

  it('is limited by name, with a Retry-After', async () => {
    await server.addUser('sato');
    let refused: Answer | undefined;
    for (let attempt = 0; attempt < 30 && !refused; attempt += 1) {
      const answer = await signIn('sato', 'not the password');
      if (answer.status === 429) refused = answer;
    }
    expect(refused?.json['code']).toBe('rate_limited');
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0);
    expect((await audited()).filter((line) => line === 'sato: session.create: rate_limited')).toHaveLength(1);
    // The limit also applies to the right password, because a guess could be right.
    expect((await signIn('sato')).status).toBe(429);
    expect((await signIn('tanaka')).status).toBe(401);
  });

  it('sign-in is limited by address', async () => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 70; attempt += 1) {
      const { status } = await server.ask('POST', '/api/session', {
        body: { name: `user${attempt}`, password: '' },
      });
      statuses.push(status);
      if (status === 429) break;
    }
    expect(statuses.at(-1)).toBe(429);
    expect(statuses.length).toBeGreaterThan(30);
  });
});

describe('users', () => {
  it('only administrators create, change and list users', async () => {
    const id = await server.addUser('sato');
    const cookie = await server.signIn('sato');
    const asked = await Promise.all([
      server.ask('GET', '/api/users', { cookie }),
      server.ask('POST', '/api/users', { cookie, body: { name: 'other', role: 'admin', password } }),
      server.ask('PATCH', `/api/users/${id}`, { cookie, body: { role: 'admin' } }),
      server.ask('PATCH', '/api/users/unknown', { cookie, body: { role: 'admin' } }),
      server.ask('GET', '/api/audit', { cookie }),
    ]);
    expect(asked.map(({ json }) => json['code'])).toEqual(Array.from({ length: 5 }, () => 'forbidden'));
    const anonymous = await server.ask('GET', '/api/users');
    expect([anonymous.status, anonymous.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    const list = await server.ask('GET', '/api/users', admin);
    expect(list.json['items']).toMatchObject([{ id, name: 'sato', role: 'operator', disabled: false }]);
    expect(list.text).not.toMatch(/argon2|passwordHash/);
  });

  it('user names are unique and valid', async () => {
    await server.addUser('sato');
    const again = await server.ask('POST', '/api/users', {
      ...admin,
      body: { name: 'sato', role: 'viewer', password },
    });
    expect([again.status, again.json['code'], again.json['field']]).toEqual([409, 'exists', 'name']);
    const odd = await server.ask('POST', '/api/users', {
      ...admin,
      body: { name: '<b>', role: 'viewer', password },
    });
    expect(odd.json).toMatchObject({ code: 'invalid_input', field: 'name' });
    expect((await server.ask('PATCH', '/api/users/unknown', { ...admin, body: {} })).json['code']).toBe(
      'not_found',
    );
  });

  it('a user stays signed in after an empty change', async () => {
    const id = await server.addUser('sato');
    const cookie = await server.signIn('sato');
    const answer = await server.ask('PATCH', `/api/users/${id}`, { ...admin, body: {} });
    expect([answer.status, answer.json['name']]).toEqual([200, 'sato']);
    expect((await server.ask('GET', '/api/session', { cookie })).status).toBe(200);
  });

  it('the last administrator cannot be demoted, not even by two concurrent requests', async () => {
    const first = await server.addUser('first', 'admin');
    for (const body of [{ role: 'operator' }, { disabled: true }]) {
      const answer = await server.ask('PATCH', `/api/users/${first}`, { ...admin, body });
      expect([answer.status, answer.json['code']]).toEqual([409, 'last_admin']);
    }
    const second = await server.addUser('second', 'admin');
    const both = await Promise.all(
      [first, second].map((id) =>
        server.ask('PATCH', `/api/users/${id}`, { ...admin, body: { role: 'viewer' } }),
      ),
    );
    expect(both.map(({ status }) => String(status)).toSorted()).toEqual(['200', '409']);
  });
});

describe('tokens', () => {
  it('a token is shown once, stored as a hash, and invalid when revoked', async () => {
    await server.addUser('sato');
    const cookie = await server.signIn('sato');
    const made = await server.ask('POST', '/api/tokens', { cookie, body: { name: 'ci' } });
    expect(made.status).toBe(201);
    const bearer = String(made.json['secret']);
    expect(bearer).toMatch(/^wcc_[\w-]{43}$/);
    const session = await server.ask('GET', '/api/session', { bearer });
    expect(session.json['user']).toMatchObject({ name: 'sato' });
    expect((await server.ask('GET', '/api/tokens', { cookie })).text).not.toContain(bearer);
    const rows = await server.running.store.db.selectFrom('tokens').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(bearer);

    const path = `/api/tokens/${String(made.json['id'])}`;
    await server.addUser('tanaka');
    const foreign = await server.ask('DELETE', path, { cookie: await server.signIn('tanaka') });
    expect(foreign.json['code']).toBe('not_found');
    expect((await server.ask('DELETE', path, { cookie })).status).toBe(204);
    expect((await server.ask('GET', '/api/session', { bearer })).status).toBe(401);
    expect(server.log()).not.toContain(bearer);
  });

  it('a token with scope read cannot change anything, and no token creates tokens', async () => {
    await server.addUser('boss', 'admin');
    const cookie = await server.signIn('boss');
    const make = async (scope: string): Promise<string> => {
      const answer = await server.ask('POST', '/api/tokens', { cookie, body: { name: scope, scope } });
      return String(answer.json['secret']);
    };
    const [read, write] = [await make('read'), await make('write')];
    const body = { name: 'sato', role: 'viewer', password };
    expect((await server.ask('GET', '/api/users', { bearer: read })).status).toBe(200);
    expect((await server.ask('POST', '/api/users', { bearer: read, body })).status).toBe(403);
    expect((await server.ask('POST', '/api/users', { bearer: write, body })).status).toBe(201);
    for (const bearer of [read, write, adminToken]) {
      expect((await server.ask('POST', '/api/tokens', { bearer, body: { name: 'x' } })).json['code']).toBe(
        'forbidden',
      );
    }
  });

  it('a wrong token is refused despite a valid cookie', async () => {
    await server.addUser('sato');
    const cookie = await server.signIn('sato');
    for (const bearer of ['', 'x', `${adminToken}x`, adminToken.slice(1), 'wcc_x']) {
      expect((await server.ask('GET', '/api/session', { bearer, cookie })).status).toBe(401);
    }
  });
});

describe('creating', () => {
  const create = (bearer: string): Promise<Answer> => server.ask('POST', '/api/users', { bearer, body: {} });

  it('creation is limited per session or token, with a higher limit for the admin token', async () => {
    await server.addUser('boss', 'admin');
    const cookie = await server.signIn('boss');
    const made = await server.ask('POST', '/api/tokens', { cookie, body: { name: 'ci' } });
    const bearer = String(made.json['secret']);
    const statuses = await Promise.all(
      Array.from({ length: 121 }, async () => (await create(bearer)).status),
    );
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
    expect((await create(adminToken)).status).toBe(400);
    const byAutomation = await Promise.all(Array.from({ length: 121 }, () => create(adminToken)));
    expect(byAutomation.filter(({ status }) => status === 429)).toHaveLength(0);
  });
});

describe('the audit record', () => {
  it('contains every change with user and address, in pages, with a valid chain', async () => {
    const id = await server.addUser('sato');
    const cookie = await server.signIn('sato');
    await server.ask('POST', '/api/tokens', { cookie, body: { name: 'ci' } });
    await server.ask('DELETE', '/api/session', { cookie });
    await server.ask('PATCH', `/api/users/${id}`, { ...admin, body: { role: 'viewer', password } });
    expect(await audited()).toEqual([
      'admin-token: user.create: ok',
      'sato: session.create: ok',
      'sato: token.create: ok',
      'sato: session.end: ok',
      'admin-token: user.change password,role: ok',
    ]);
    const first = await server.ask('GET', '/api/audit?limit=3', admin);
    const second = await server.ask('GET', `/api/audit?limit=3&cursor=${String(first.json['next'])}`, admin);
    const numbers = [first, second].flatMap(({ json }) =>
      (json['items'] as { number: number }[]).map((item) => item.number),
    );
    expect(numbers).toEqual([5, 4, 3, 2, 1]);
    expect(second.json['next']).toBeUndefined();
    expect((first.json['items'] as object[])[0]).toMatchObject({
      address: '127.0.0.1',
      subject: `user:${id}`,
    });
    expect(await verifyStored(server.running.store)).toMatchObject({ intact: true, rowCount: 5 });
    expect((await server.ask('GET', '/api/audit?limit=0', admin)).json['field']).toBe('limit');
  });

  it('finds rows of a renamed word by the old and the new word', async () => {
    const row = { who: 'sato', address: '127.0.0.1', subject: null, result: 'ok' };
    await server.running.store.write([
      auditStatement({ ...row, what: 'remains.delete' }),
      auditStatement({ ...row, what: 'orphan.delete' }),
      auditStatement({ ...row, what: 'pool.rescan' }),
    ]);
    for (const what of ['orphan', 'orphan.delete', 'remains', 'remains.delete']) {
      const { json } = await server.ask('GET', `/api/audit?what=${what}`, admin);
      expect((json['items'] as { what: string }[]).map((item) => item.what)).toEqual([
        'orphan.delete',
        'remains.delete',
      ]);
    }
    const others = await server.ask('GET', '/api/audit?what=pool', admin);
    expect(others.json['items']).toMatchObject([{ what: 'pool.rescan' }]);
  });
});
