import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Image, Operation } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { connect } from '@wcc/progress/client';
import type { ProgressClient } from '@wcc/progress/client';
import { WebSocket } from 'ws';
import { createFaultProxy } from '../kit/network/fault-proxy.ts';
import type { FaultProxy } from '../kit/network/fault-proxy.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { hasEnded, registerImage } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { shareOf } from '../kit/share.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

/**
 * A client never sees a false success after a reconnect (docs/security.md). The test kills the server or the
 * connection at every point of a copy. At the end client and store have equal records.
 */
let server: TestServer;
let proxy: FaultProxy;
let image: Image;
let client: ProgressClient;
const clients: ProgressClient[] = [];

beforeAll(async () => {
  server = await startServer();
  proxy = await createFaultProxy(server.port);
  await makeRandomImage(join(server.poolDir, 'source.raw'), 48 * MiB);
  image = await registerImage(server, 'source.raw');
});

afterAll(async () => {
  for (const each of clients) each.close();
  await proxy.close();
  await server.close();
});

/** The client of @wcc/progress, through the proxy, with the Host that the server knows. */
function connectClient(): ProgressClient {
  const { port, token } = server;
  class BearerSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { authorization: `Bearer ${token}`, host: `127.0.0.1:${port}` } });
    }
  }
  const made = connect(`ws://127.0.0.1:${proxy.port}/api/ws`, {
    WebSocket: BearerSocket,
    ticket: null,
    transport: 'websocket',
    onError: (error) => {
      throw error;
    },
  });
  clients.push(made);
  return made;
}

/** The fields on which client and store must agree. Durations differ and are left out. */
function essence(record: Snapshot | Operation): Partial<Snapshot> {
  const { id, state, error, result, bytes, method, warnings, target, retryOf } = record;
  return { id, state, error, result, bytes, method, warnings, target, retryOf };
}

const points = [
  { name: 'right after the copy is accepted', reached: () => true },
  { name: 'when the copy runs', reached: (held: Snapshot) => held.state === 'running' },
  ...[5, 30, 60, 90].map((percent) => ({
    name: `at ${percent} %`,
    // A limited copy reports in large steps, so a point between two reports counts as reached once passed.
    reached: (held: Snapshot) => {
      const phase = held.phases[held.phaseIndex];
      if (hasEnded(held) || held.phases.some(({ name, state }) => name === 'transfer' && state === 'done'))
        return true;
      return phase !== undefined && 'done' in phase && phase.done / (phase.total ?? Infinity) > percent / 100;
    },
  })),
  ...['flush', 'verify', 'publish'].map((phase) => ({
    name: `in or after ${phase}`,
    reached: (held: Snapshot) => {
      const index = held.phases.findIndex(({ name }) => name === phase);
      return hasEnded(held) || (index >= 0 && held.phaseIndex >= index);
    },
  })),
  { name: 'at the end', reached: hasEnded },
];

const faults = {
  'the server is killed': async () => {
    await server.kill();
    await server.start();
  },
  'every connection is reset': async () => proxy.resetAll(),
  'the network drops all bytes for two seconds': async () => {
    proxy.setMode('silent');
    await sleep(2000);
    proxy.setMode('pass');
  },
};

it.each(
  Object.entries(faults).flatMap(([fault, strike]) =>
    shareOf(points, 3).map((point) => ({ fault, strike, point, at: point.name })),
  ),
)('client and store agree when $fault $at', { timeout: 60_000 }, async ({ fault, strike, point }) => {
  client = connectClient();
  await until(() => client.status.state === 'online', { what: 'the client to be online' });
  const name = `copy-${fault}-${point.name}`.replaceAll(/\W+/g, '-').concat('.raw');
  const { operation } = await server.api.copyImage(image.id, {
    name,
    method: 'copy',
    bytesPerSecond: 48 * MiB,
    verify: true,
  });
  const received: Snapshot[] = [];
  client.watch(operation.id, (snapshot) => void received.push(snapshot));
  await until(() => received.some((held) => point.reached(held)), { what: `the point: ${point.name}` });
  await strike();
  const stored = await until(
    async () => {
      const record = await server.api.operation(operation.id);
      return hasEnded(record) ? record : null;
    },
    { what: 'the copy to end' },
  );
  const held = await until(
    () => {
      const last = client.get(operation.id);
      return last && hasEnded(last) ? last : null;
    },
    { what: 'the client to know the end' },
  );
  expect(stored.state).toBe('succeeded');
  expect(essence(held)).toEqual(essence(stored));
  // The client receives no other state after the end.
  const firstEnd = received.findIndex(hasEnded);
  expect(received.slice(firstEnd).every(hasEnded)).toBe(true);
  client.close();
});
