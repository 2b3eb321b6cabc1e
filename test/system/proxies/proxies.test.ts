import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pageKeyHeader } from '@wcc/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { makeWorkspace } from '../../kit/directories.ts';
import type { Workspace } from '../../kit/directories.ts';
import { MiB } from '../../kit/images.ts';
import { driverSkipReason, startMachineHost } from '../../kit/machine-host.ts';
import type { MachineHost } from '../../kit/machine-host.ts';
import { Http2Client } from '../../kit/network/http2-client.ts';
import type { Http2Stream } from '../../kit/network/http2-client.ts';
import { makeCertificate, programOf, proxyNames, startProxy } from '../../kit/network/installed-proxies.ts';
import type { ProxyName, RunningProxy } from '../../kit/network/installed-proxies.ts';
import { findFreePort } from '../../kit/network/ports.ts';
import { waitForState } from '../../kit/operations.ts';
import { until } from '../../kit/poll.ts';
import { noteSecret } from '../../kit/secrets.ts';
import { createUser } from '../../kit/session.ts';
import type { TestUser } from '../../kit/session.ts';

/**
 * V10j: all paths through each installed proxy, with the configuration of docs/proxies.md: TLS, a port other than 443,
 * HTTP/2 for requests and HTTP/1.1 for sockets. Then everything stays silent for `WCC_PROXY_IDLE_S` at the same time.
 * `npm run test:proxies` runs this.
 */
const idleS = process.env['WCC_PROXY_IDLE_S'];
const refusal = idleS === undefined ? 'use npm run test:proxies' : driverSkipReason('qemu');
if (refusal !== null) console.log(`skipped: ${refusal}`);
const idleMs = Number(idleS ?? 0) * 1000;

/** The addresses differ, because all proxies have the public port at the same time. */
const rows = proxyNames.map((name, index) => ({
  name,
  address: `127.0.0.${index + 2}`,
  note: programOf(name) === null ? ` (skipped: apt-get install ${name})` : '',
}));

let workspace: Workspace;
let host: MachineHost;
let user: TestUser;
let port: number;
let ca: string;
let machine: number;
const visits = new Map<ProxyName, Visit>();
const proxies: RunningProxy[] = [];
const clients: Http2Client[] = [];
let silence: Promise<void> | undefined;

/** A signed-in browser behind the proxy. */
interface Visitor {
  address: string;
  client: Http2Client;
  headers: Record<string, string>;
  cookie: string;
}

/** What stays open through one proxy. */
interface Visit {
  proxy: RunningProxy;
  operationId: string;
  opened: Record<'watch' | 'screen' | 'serial', OpenSocket> & Record<'events' | 'log', Http2Stream>;
}

async function signIn(address: string): Promise<Visitor> {
  const client = new Http2Client({ address, port, ca });
  clients.push(client);
  const origin = `https://localhost:${port}`;
  const answer = await client.ask({
    method: 'POST',
    path: '/api/session',
    headers: { origin, 'content-type': 'application/json' },
    body: JSON.stringify({ name: user.name, password: user.password }),
  });
  expect([answer.status, answer.body.toString()]).toEqual([200, expect.any(String)]);
  const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  expect(cookie).toMatch(/^__Host-/);
  noteSecret(cookie.split('=')[1] ?? cookie);
  const pageKey = noteSecret(String(answer.json()['pageKey']));
  return { address, client, cookie, headers: { origin, cookie, [pageKeyHeader]: pageKey } };
}

async function ticketOf({ client, headers }: Visitor, body: object): Promise<string> {
  const answer = await client.ask({
    method: 'POST',
    path: '/api/ws-tickets',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
  return noteSecret(String(answer.json()['ticket']));
}

interface OpenSocket {
  /** Messages, heartbeats too. */
  texts: string[];
  /** What a screen or a serial log sends. */
  bytes: () => Buffer;
  isOpen: () => boolean;
  close: () => void;
}

async function openSocket(visitor: Visitor, path: string, ticket: object): Promise<OpenSocket> {
  const protocols = ['wcc.v1', `wcc.ticket.${await ticketOf(visitor, ticket)}`];
  const socket = new WebSocket(`wss://localhost:${port}${path}`, protocols, {
    ca,
    family: 4,
    lookup: (_name, _options, done) => done(null, visitor.address, 4),
    origin: `https://localhost:${port}`,
    headers: { cookie: visitor.cookie },
  });
  const texts: string[] = [];
  const parts: Buffer[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) parts.push(data);
    else texts.push(data.toString());
  });
  socket.on('error', () => undefined);
  await Promise.race([
    once(socket, 'open'),
    once(socket, 'close').then(([code]) => {
      throw new Error(`${path}: refused, ${String(code)}`);
    }),
  ]);
  return {
    texts,
    bytes: () => Buffer.concat(parts),
    isOpen: () => socket.readyState === socket.OPEN,
    close: () => socket.terminate(),
  };
}

/** Uploads in two parts of one request. The first one must reach wcc before the second one is sent. */
async function upload({ client, headers }: Visitor, name: string, bytes: Buffer): Promise<number> {
  const tus = { ...headers, 'tus-resumable': '1.0.0' };
  const made = await client.ask({
    method: 'POST',
    path: '/api/uploads',
    headers: {
      ...tus,
      'upload-length': String(bytes.length),
      'upload-metadata': `filename ${Buffer.from(name).toString('base64')}`,
    },
  });
  expect([made.status, made.body.toString()]).toEqual([201, '']);
  const path = new URL(String(made.headers.location), `https://localhost:${port}`).pathname;
  const patch = client.open({
    method: 'PATCH',
    path,
    headers: {
      ...tus,
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
      'content-length': String(bytes.length),
    },
  });
  const answered = once(patch, 'response');
  patch.write(bytes.subarray(0, bytes.length / 2));
  await until(
    async () => {
      const { phases } = await host.server.api.operation(path.split('/').at(-1) ?? '');
      return phases.some((phase) => 'done' in phase && phase.done > 0);
    },
    { what: 'the first bytes to arrive while the request is being sent' },
  );
  patch.end(bytes.subarray(bytes.length / 2));
  const [answer] = (await answered) as [Record<string, string>];
  patch.resume();
  return Number(answer[':status']);
}

async function openEverything(visitor: Visitor): Promise<Omit<Visit, 'proxy'>> {
  const { client, headers } = visitor;
  const { operation } = await host.server.api.publish({
    action: 'backup_database',
    subject: { kind: 'database', id: 7, name: 'orders' },
    total: 100,
    leaseS: 3600,
  });
  const vm = `/api/vms/${machine}`;
  const target = String(machine);
  const watch = await openSocket(visitor, '/api/ws', { purpose: 'watch' });
  const screen = await openSocket(visitor, `${vm}/screen?heartbeat=true`, { purpose: 'screen', target });
  const serial = await openSocket(visitor, `${vm}/serial/socket`, { purpose: 'serial', target });
  const events = await client.follow({ path: `/api/operations/${operation.id}/events`, headers });
  const log = await client.follow({ path: `${vm}/serial?follow=true`, headers });
  await until(() => watch.texts.some((text) => text.includes('"hello"')), { what: 'hello' });
  await until(() => screen.bytes().includes('RFB 003'), { what: 'RFB' });
  await until(() => serial.bytes().length > 0, { what: 'the serial log' });
  await until(() => events.text().includes('event: op'), { what: 'an event' });
  await until(() => log.text() !== '', { what: 'the followed log' });
  return { operationId: operation.id, opened: { watch, screen, serial, events, log } };
}

async function transfer(visitor: Visitor): Promise<void> {
  const { client, headers } = visitor;
  const bytes = randomBytes(8 * MiB);
  const name = `through-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}.raw`;
  expect(await upload(visitor, name, bytes)).toBe(204);
  const image = await until(
    async () => (await host.server.api.images({ limit: 200 })).items.find((one) => one.name === name),
    { what: 'the uploaded image' },
  );
  const download = await client.ask({ path: `/api/images/${image.id}/download`, headers });
  expect([download.status, download.body.equals(bytes)]).toEqual([200, true]);
}

async function driveAllPaths(address: string, proxy: RunningProxy): Promise<Visit> {
  const visitor = await signIn(address);
  // An encoded separator stays one part of the path, so that wcc answers, and not the proxy.
  const odd = await visitor.client.ask({ path: '/api/operations/a%2Fb', headers: visitor.headers });
  expect([odd.status, odd.headers['content-type']]).toEqual([404, expect.stringContaining('problem+json')]);
  const visit = await openEverything(visitor);
  await transfer(visitor);
  return { ...visit, proxy };
}

/** Everything is still open, and what happens now arrives. */
async function expectAlive({ opened, operationId }: Visit): Promise<void> {
  const { watch, screen, serial, events, log } = opened;
  for (const [what, one] of Object.entries(opened)) expect([what, one.isOpen()]).toEqual([what, true]);
  const beats = [watch.texts.length, screen.texts.length];
  await host.server.api.reportProgress(operationId, { done: 61 });
  await until(() => events.text().includes('"done":61'), { what: 'the event of the progress' });
  const [shown, logged] = [serial.bytes().length, log.text().length];
  await host.server.api.orderVm(machine, 'reset');
  await until(() => serial.bytes().length > shown, { what: 'output on the socket' });
  await until(() => log.text().length > logged, { what: 'output in the followed log' });
  for (const [index, socket] of [watch, screen].entries())
    await until(() => socket.texts.length > (beats[index] ?? 0), { what: `heartbeat ${index}` });
}

/** Adds what the proxy says to an error. */
async function through<T>(proxy: RunningProxy, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new Error(`${String(cause)}\n${proxy.log()}`, { cause });
  }
}

describe.skipIf(refusal !== null)('V10j: behind a proxy as docs/proxies.md configures it', () => {
  beforeAll(async () => {
    workspace = makeWorkspace('proxies');
    ca = makeCertificate(workspace.path);
    port = await findFreePort();
    const args = ['--behind-tls-proxy', '--trusted-proxy', '127.0.0.1'];
    args.push('--public-url', `https://localhost:${port}`);
    host = await startMachineHost('qemu', { args });
    const { server } = host;
    user = await createUser(server, 'sato', 'admin');
    const { operation } = await server.api.makeSampleImage({ name: 'disk.raw', sizeBytes: 16 * MiB });
    const { result } = await waitForState(server, operation.id, { states: ['succeeded'] });
    const request = { name: 'quokka', image: Number(result?.id), cpus: 1, memoryBytes: 32 * MiB };
    const made = await server.api.quickCreateVm(request);
    await waitForState(server, made.operation.id, { states: ['succeeded'] });
    machine = Number(made.operation.subject.id);
  });
  afterAll(async () => {
    for (const { opened } of visits.values()) for (const one of Object.values(opened)) one.close();
    for (const client of clients) client.close();
    for (const proxy of proxies) await proxy.close();
    await host.close();
    workspace.remove();
  });

  for (const { name, address, note } of rows)
    it.skipIf(note !== '')(`all paths work through ${name}${note}`, async () => {
      const places = { directory: workspace.path, address, port, targetPort: host.server.port };
      const proxy = await startProxy(name, places);
      proxies.push(proxy);
      const visit = await through(proxy, driveAllPaths(address, proxy));
      expect(Object.values(visit.opened).every((one) => one.isOpen())).toBe(true);
      visits.set(name, visit);
    });

  for (const { name, note } of rows)
    it.skipIf(note !== '')(
      `everything works through ${name} after ${idleS} s of silence${note}`,
      { timeout: idleMs + 180_000 },
      async () => {
        const visit = visits.get(name);
        if (visit === undefined) throw new Error('Not all paths worked before the silence.');
        await (silence ??= sleep(idleMs));
        await through(visit.proxy, expectAlive(visit));
      },
    );
});
