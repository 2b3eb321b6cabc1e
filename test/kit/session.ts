import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { pageKeyHeader } from '@wcc/api';
import type { Role, TokenScope } from '@wcc/api';
import { until } from './poll.ts';
import { rawRequest } from './network/raw-http.ts';
import type { RawAnswer, RawRequest } from './network/raw-http.ts';
import { noteSecret } from './secrets.ts';
import type { TestServer } from './server.ts';

/** A signed-in session over plain HTTP with full control of the headers. */
export interface CookieSession {
  readonly cookie: string;
  readonly pageKey: string;
  readonly origin: string;
  /** What a page of the console sends: the cookie, and its page key. */
  readonly headers: Readonly<Record<string, string>>;
  request(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string> },
  ): Promise<RawAnswer>;
  ticket(): Promise<string>;
}

export interface TestUser {
  id: string;
  name: string;
  password: string;
}

/** Creates a user over the API, with a random password. */
export async function createUser(server: TestServer, name: string, role: Role): Promise<TestUser> {
  const password = noteSecret(`pass-${randomBytes(12).toString('hex')}`);
  const user = await server.api.createUser({ name, role, password });
  return { id: user.id, name, password };
}

/** Reads the one-time sign-in link of the first start from its file. */
export async function readFirstSignInLink(server: TestServer): Promise<URL> {
  const path = join(server.dataDir, 'initial-admin-link');
  const text = await until(() => readFile(path, 'utf8').catch(() => null), { what: `the link in ${path}` });
  const url = new URL(text.trim());
  noteSecret(url.hash.slice(1));
  return url;
}

export async function signIn(
  server: Pick<TestServer, 'baseUrl'>,
  user: { name: string; password: string },
): Promise<CookieSession> {
  const origin = server.baseUrl;
  const answer = await rawRequest(`${origin}/api/session`, {
    method: 'POST',
    headers: { origin, 'content-type': 'application/json' },
    body: JSON.stringify({ name: user.name, password: user.password }),
  });
  if (answer.status !== 200) throw new Error(`sign-in of ${user.name}: ${answer.status} ${answer.text}`);
  return createCookieSession(origin, answer);
}

/** Reads the session cookie from the answer to a sign-in. */
export function createCookieSession(origin: string, answer: RawAnswer): CookieSession {
  const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0];
  if (cookie === undefined) throw new Error('the answer to the sign-in sets no cookie');
  noteSecret(cookie.split('=')[1] ?? cookie);
  const pageKey = noteSecret(String(answer.json()['pageKey']));
  const headers = { cookie, [pageKeyHeader]: pageKey };
  const session: CookieSession = {
    cookie,
    pageKey,
    origin,
    headers,
    request: (method, path, options = {}) =>
      rawRequest(origin + path, withSession(method, { session: headers, origin, ...options })),
    ticket: async () => {
      const { ticket } = (
        await session.request('POST', '/api/ws-tickets', { body: { purpose: 'watch' } })
      ).json() as { ticket: string };
      return noteSecret(ticket);
    },
  };
  return session;
}

function withSession(
  method: string,
  options: {
    session: Record<string, string>;
    origin: string;
    body?: unknown;
    headers?: Record<string, string>;
  },
): RawRequest {
  const headers = {
    ...options.session,
    ...(method === 'GET' ? {} : { origin: options.origin }),
    ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...options.headers,
  };
  return { method, headers, ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }) };
}

/** Creates an API token of the signed-in user. @returns its secret */
export async function makeToken(session: CookieSession, scope: TokenScope): Promise<string> {
  const response = await session.request('POST', '/api/tokens', { body: { name: `for ${scope}`, scope } });
  if (response.status !== 201)
    throw new Error(`a token of scope ${scope}: ${response.status} ${response.text}`);
  return noteSecret((response.json() as { secret: string }).secret);
}
