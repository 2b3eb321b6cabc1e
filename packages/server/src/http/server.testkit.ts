import { mkdtemp, rm } from 'node:fs/promises';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { pageKeyHeader } from '@wcc/api';
import type { ServerConfig } from '../config/config.ts';
import {
  defaultEmergencyFloor,
  defaultFreeSpaceFloor,
  defaultMaxVirtualSizeBytes,
  defaultUploads,
} from '../config/config.ts';
import type { RunningServer } from '../start.ts';
import { startServer } from '../start.ts';
import { createLogger } from './log.ts';

export const adminToken = 'a-token-of-automation-0123456789abcdef';
export const password = 'correct horse battery staple';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: Record<string, unknown>;
}

export interface AskOptions {
  body?: unknown;
  /** Raw body instead of `body`. */
  rawBody?: string;
  /** Of a session; its page key is sent as well. */
  cookie?: string;
  bearer?: string;
  /** The value `undefined` removes a default header. */
  headers?: Record<string, string | undefined>;
}

export interface ServerUnderTest {
  running: RunningServer;
  origin: string;
  port: number;
  dataDir: string;
  /** The log so far. */
  log(): string;
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>;
  /** Creates a user with the admin token. @returns its id */
  addUser(name: string, role?: 'admin' | 'operator' | 'viewer'): Promise<string>;
  /** @returns the cookie, `name=value` */
  signIn(name: string): Promise<string>;
  ticket(cookie: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts the real server in this process, on a free port, with its own directories. */
export async function startTestServer(changes: Partial<ServerConfig> = {}): Promise<ServerUnderTest> {
  const dataDir = changes.dataDir ?? (await mkdtemp(join(tmpdir(), 'wcc-server-')));
  let log = '';
  const logger = createLogger('trace', { write: (line) => (log += line) });
  const config: ServerConfig = {
    port: 0,
    host: '127.0.0.1',
    dataDir,
    pool: { path: join(dataDir, 'images'), origin: 'default' },
    publicUrl: null,
    tls: null,
    ownCertificate: false,
    hsts: false,
    searchPath: process.env['PATH'] ?? null,
    behindTlsProxy: false,
    trustedProxies: [],
    foreignOrigins: [],
    importAllow: [],
    adminToken,
    hypervisor: { driver: 'qemu', environment: {} },
    maxCopiesPerPool: 2,
    freeSpaceFloor: defaultFreeSpaceFloor,
    emergencyFloor: defaultEmergencyFloor,
    uploads: defaultUploads,
    maxVirtualSizeBytes: defaultMaxVirtualSizeBytes,
    logLevel: 'trace',
    consoleDir: null,
    ...changes,
  };
  const starting = startServer({ config, version: '0.0.0-test', logger, signInLinkTarget: 'file' });
  const running = await starting.catch(async (error: unknown) => {
    if (changes.dataDir === undefined) await rm(dataDir, { recursive: true });
    throw error;
  });
  const origin = `http://127.0.0.1:${running.port}`;
  const ask: ServerUnderTest['ask'] = (method, path, options = {}) =>
    send({
      method,
      port: running.port,
      path,
      options: { ...options, headers: { origin, ...options.headers } },
    });
  return {
    running,
    origin,
    port: running.port,
    dataDir,
    log: () => log,
    ask,
    async addUser(name, role = 'operator') {
      const answer = await ask('POST', '/api/users', { bearer: adminToken, body: { name, role, password } });
      if (answer.status !== 201) throw new Error(answer.text);
      return String(answer.json['id']);
    },
    async signIn(name) {
      const answer = await ask('POST', '/api/session', { body: { name, password } });
      if (answer.status !== 200) throw new Error(answer.text);
      return sessionCookie(answer);
    },
    async ticket(cookie) {
      const answer = await ask('POST', '/api/ws-tickets', { cookie, body: { purpose: 'watch' } });
      if (answer.status !== 200) throw new Error(answer.text);
      return String(answer.json['ticket']);
    },
    async close() {
      await running.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** The page keys of all sessions of this test, by their cookie. */
const pageKeys = new Map<string, string>();

/** `name=value` of the cookie that an answer to a sign-in sets. */
export function sessionCookie(answer: Answer): string {
  const cookie = answer.headers['set-cookie']?.[0]?.split(';', 1)[0];
  if (cookie === undefined) throw new Error(`no cookie: ${answer.status} ${answer.text}`);
  notePageKey(cookie, String(answer.json['pageKey']));
  return cookie;
}

export function notePageKey(cookie: string, pageKey: string): void {
  pageKeys.set(cookie, pageKey);
}

/** What a page of the console sends: the cookie, and its page key. */
export function sessionHeaders(cookie: string): Record<string, string> {
  const pageKey = pageKeys.get(cookie);
  return pageKey === undefined ? { cookie } : { cookie, [pageKeyHeader]: pageKey };
}

interface Request {
  method: string;
  port: number;
  path: string;
  options: AskOptions;
}

/** Sends a request, and waits for the head of its answer. */
export async function beginRequest({
  method,
  port,
  path,
  options,
}: Request): Promise<{ outgoing: ClientRequest; response: IncomingMessage }> {
  const body = options.rawBody ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const headers = {
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    ...(options.cookie === undefined ? {} : sessionHeaders(options.cookie)),
    ...(options.bearer === undefined ? {} : { authorization: `Bearer ${options.bearer}` }),
    ...options.headers,
  };
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  // The path is sent unchanged; URL would normalize it.
  const outgoing = httpRequest({ host: '127.0.0.1', port, path, method, headers: given, agent: false });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { outgoing, response };
}

export async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  return text;
}

async function send(request: Request): Promise<Answer> {
  const { response } = await beginRequest(request);
  const text = await readText(response);
  // The answer to HEAD names the type of a body that it does not have.
  const isJson = text !== '' && /json/.test(response.headers['content-type'] ?? '');
  const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.statusCode ?? 0, headers: response.headers, text, json };
}
