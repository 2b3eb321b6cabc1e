import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import type { ProgressClient } from '@wcc/progress/client';
import { WebSocket } from 'ws';
import { createClient } from '../../packages/progress/src/client/client.ts';
import { createCuttingProxy } from '../kit/network/cutting-proxy.ts';
import type { CuttingProxy } from '../kit/network/cutting-proxy.ts';
import { followEvents } from '../kit/network/event-follower.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { until } from '../kit/poll.ts';
import { createRandom, seedOfRun } from '../kit/random.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, makeToken, signIn } from '../kit/session.ts';
import { createWatcherCheck } from '../kit/watcher-check.ts';
import type { WatcherCheck } from '../kit/watcher-check.ts';

/**
 * Cuts watcher connections (sockets, combined streams and streams of one operation) at random bytes, by RST, FIN or silence. Kills the server
 * several times. Each watcher ends with the record of the store. Its progress never moves back and it never sees a
 * false end. Only cuts of established connections count. `WCC_RECONNECTS=10000` is the full run; `WCC_SEED` repeats a
 * run.
 */
const wanted = Number(process.env['WCC_RECONNECTS'] ?? 300);
const operations = 12;
const users = 12;
const killCount = Math.max(2, Math.floor(wanted / 2000));
const random = createRandom(seedOfRun());
let server: TestServer;
let proxy: CuttingProxy;
const tokens: string[] = [];
const clients: ProgressClient[] = [];
const stopping = new AbortController();
// Each stream has one listener, plus one during its removal.
setMaxListeners(2 * users, stopping.signal);

beforeAll(async () => {
  const port = await findFreePort();
  proxy = await createCuttingProxy({ targetPort: port, random, maxBytes: 12_000 });
  // `fetch` sends the proxy's address as Host.
  server = await startServer({ port, args: ['--public-url', `http://127.0.0.1:${proxy.port}`] });
  for (let number = 0; number < users; number += 1) {
    const session = await signIn(server, await createUser(server, `watcher-${number}`, 'admin'));
    tokens.push(await makeToken(session, 'read'));
  }
});
afterAll(async () => {
  stopping.abort();
  for (const client of clients) client.close();
  await proxy.close();
  await server.close();
});

const ending = new Set<string>();
const host = (): string => `127.0.0.1:${server.port}`;

async function begin(): Promise<string> {
  const { operation } = await server.api.publish({
    action: 'backup_database',
    subject: { kind: 'database', name: 'orders' },
    total: 1_000_000,
    leaseS: 600,
  });
  return operation.id;
}

/** Reports progress until the test asks for the end. Repeats a report while the server is away. */
async function work(id: string, isOver: () => boolean): Promise<void> {
  for (let done = 1; !isOver(); done += 1) {
    await server.api.reportProgress(id, { done }).catch(() => undefined);
    await sleep(150);
  }
  ending.add(id);
  const state = random.pick(['succeeded', 'cancelled'] as const);
  await until(
    () =>
      server.api.endOperation(id, { state }).then(
        () => true,
        () => false,
      ),
    { what: `the end of ${id} to be accepted`, everyMs: 200 },
  );
}

/** The client of @wcc/progress, which never gives up here. */
function watchBy(
  transport: 'websocket' | 'sse',
  token: string,
  { ids, witness }: { ids: readonly string[]; witness: WatcherCheck },
): () => number {
  let connections = 0;
  class BearerSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { authorization: `Bearer ${token}`, host: host() } });
      connections += 1;
    }
  }
  const client = createClient(
    `ws://127.0.0.1:${proxy.port}/api/ws`,
    {
      WebSocket: BearerSocket,
      ticket: null,
      transport,
      events: `http://127.0.0.1:${proxy.port}/api/events`,
      fetch: (input, init) => {
        connections += 1;
        const headers = new Headers(init?.headers);
        headers.set('authorization', `Bearer ${token}`);
        return fetch(input, { ...init, headers });
      },
      // The client repeats a subscription that failed during the server's start.
      onError: () => undefined,
    },
    { scale: 1 / 4 },
  );
  clients.push(client);
  client.onStatus(({ state }) => {
    // Silent sockets use their user's quota until the server detects them.
    if (state === 'stopped') setTimeout(() => client.reconnectNow(), 500);
  });
  for (const id of ids) client.watch(id, (snapshot) => witness.check(snapshot));
  return () => connections;
}

/** The fields on which client and store must agree. Durations differ and are left out. */
function essence({ id, state, phases, error, result }: Snapshot): unknown {
  return { id, state, done: phases.map((phase) => ('done' in phase ? phase.done : null)), error, result };
}

it(
  `every watcher ends with the true end after ${wanted} reconnects by socket and event stream`,
  { timeout: 180_000 + wanted * 500 },
  async () => {
    console.log(`WCC_SEED=${random.seed}`);
    const startedAt = performance.now();
    const ids: string[] = [];
    while (ids.length < operations) ids.push(await begin());
    const witnesses: WatcherCheck[] = [];
    const newWitness = (name: string): WatcherCheck => {
      const witness = createWatcherCheck(name, (id) => ending.has(id));
      witnesses.push(witness);
      return witness;
    };
    const clientAttempts = (['websocket', 'sse'] as const).flatMap((transport) =>
      tokens.map((token, index) =>
        watchBy(transport, token, { ids, witness: newWitness(`client ${transport} ${index}`) }),
      ),
    );
    let requests = 0;
    const streams = tokens.map((token, index) => {
      const operation = ids[index % ids.length]!;
      const witness = newWitness(`stream ${index}`);
      return followEvents({
        port: proxy.port,
        host: host(),
        token,
        operation,
        onSnapshot: (snapshot) => witness.check(snapshot),
        onRequest: () => (requests += 1),
        signal: stopping.signal,
        silentMs: 3000,
      });
    });
    const attempts = (): number => requests + clientAttempts.reduce((sum, count) => sum + count(), 0);
    const cut = (): number => Object.values(proxy.cuts).reduce((sum, count) => sum + count, 0);
    let isOver = false;
    const works = ids.map((id) => work(id, () => isOver));
    for (let kill = 1; kill <= killCount; kill += 1) {
      const due = (wanted * kill) / (killCount + 1);
      await until(() => cut() >= due, { what: `${due} cuts`, timeoutMs: 60_000 + wanted * 500 });
      await server.kill();
      await server.start();
    }
    await until(() => cut() >= wanted, { what: `${wanted} cuts`, timeoutMs: 60_000 + wanted * 500 });
    isOver = true;
    await Promise.all(works);
    proxy.stopCutting();
    await Promise.all(streams);
    const stored = new Map<string, unknown>();
    for (const id of ids) stored.set(id, essence(await server.api.operation(id)));
    for (const witness of witnesses) {
      const expected = witness.name.startsWith('client') ? ids : [...witness.last.keys()];
      expect(expected.length, witness.name).toBeGreaterThan(0);
      for (const id of expected) {
        await until(() => JSON.stringify(essenceOf(witness, id)) === JSON.stringify(stored.get(id)), {
          what: `${witness.name} to receive the end of ${id}`,
        });
      }
    }
    const defects = witnesses.flatMap((witness) => witness.defects);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const snapshots = witnesses.reduce((sum, watcher) => sum + watcher.snapshots, 0);
    console.log(
      `${cut()} cuts ${JSON.stringify(proxy.cuts)} of ${attempts()} attempts in ${seconds} s, ${snapshots} snapshots, ${killCount} kills of the server`,
    );
    expect(defects).toEqual([]);
  },
);

function essenceOf(witness: WatcherCheck, id: string): unknown {
  const held = witness.last.get(id);
  return held === undefined ? null : essence(held);
}
