import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AskOptions, ServerUnderTest } from '../server.testkit.ts';
import { adminToken, startTestServer } from '../server.testkit.ts';

const otherToken = 'another-token-of-automation-0123456789';
let server: ServerUnderTest;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());

/** Publishes an operation and shares it. @returns the secret of the link, and the operation's address */
async function makeLink(who: AskOptions): Promise<{ link: string; path: string; expiresAt: string }> {
  const subject = { kind: 'database', id: 7, name: 'orders' };
  const body = { action: 'backup_database', subject, leaseS: 3600 };
  const { json } = await server.ask('POST', '/api/operations', { ...who, body });
  const path = `/api/operations/${(json['operation'] as { id: string }).id}`;
  const expiresInS = 30 * 86_400;
  const made = await server.ask('POST', `${path}/shares`, { ...who, body: { name: 'link', expiresInS } });
  expect(made.status, made.text).toBe(201);
  return { link: String(made.json['secret']), path, expiresAt: String(made.json['expiresAt']) };
}

const statusOf = async (path: string, bearer: string): Promise<number> =>
  (await server.ask('GET', path, { bearer })).status;

it('SL2: a link that a token made ends with the revocation of the token, and not after the token', async () => {
  await server.addUser('sato');
  const cookie = await server.signIn('sato');
  const body = { name: 'ci', expiresInDays: 1 };
  const token = (await server.ask('POST', '/api/tokens', { cookie, body })).json;
  const { link, path, expiresAt } = await makeLink({ bearer: String(token['secret']) });
  expect(expiresAt).toBe(token['expiresAt']);
  expect(await statusOf(path, link)).toBe(200);
  await server.ask('DELETE', `/api/tokens/${String(token['id'])}`, { cookie });
  expect(await statusOf(path, link)).toBe(401);
  const listed = await server.ask('GET', `${path}/shares`, { cookie });
  expect(listed.json['items']).toEqual([]);
});

it("SL2: a link of the administrator's token ends when another token, or none, is configured", async () => {
  const { link, path } = await makeLink({ bearer: adminToken });
  expect(await statusOf(path, link)).toBe(200);
  const { dataDir } = server;
  for (const [token, status] of [
    [otherToken, 401],
    [null, 401],
    [adminToken, 200],
  ] as const) {
    await server.running.stop();
    server = await startTestServer({ dataDir, adminToken: token });
    expect(await statusOf(path, link), String(token)).toBe(status);
  }
});

it('a link that a session made outlives the session', async () => {
  await server.addUser('sato');
  const cookie = await server.signIn('sato');
  const { link, path } = await makeLink({ cookie });
  await server.ask('DELETE', '/api/session', { cookie });
  expect(await statusOf(path, link)).toBe(200);
});
