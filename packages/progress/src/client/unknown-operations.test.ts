import { afterEach, beforeEach, expect, it } from 'vitest';
import { unknownForMs } from '../core/protocol.ts';
import type { ServerMessage } from '../core/protocol.ts';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';
import { createClient } from './client.ts';
import type { ProgressClient } from './client.ts';
import { WebSocket, createScriptedServer, until } from './client.testkit.ts';
import type { Peer, ScriptedServer } from './client.testkit.ts';

const { id } = sampleSnapshot();
const unknown = (...ids: string[]): ServerMessage => ({
  t: 'ok',
  id: 1,
  res: ids.map((op) => ({ op, err: 'not_found' })),
});

let server: ScriptedServer;
let client: ProgressClient;

beforeEach(async () => {
  server = await createScriptedServer();
});

afterEach(async () => {
  client.close();
  await server.close();
});

async function open(): Promise<Peer> {
  client = createClient(server.url, { WebSocket, transport: 'websocket', ticket: null }, { scale: 1 / 25 });
  const peer = await server.peer(1);
  peer.hello('e1');
  await until(() => client.status.state === 'online' || undefined);
  return peer;
}

/** Answers every request as a server that knows nothing. */
function knowNothing(peer: Peer): void {
  let answered = 0;
  peer.socket.on('message', () => {
    for (const message of peer.messages.slice(answered)) {
      answered += 1;
      if (message.t === 'sub' && 'ops' in message) peer.send(unknown(...message.ops.map(({ op }) => op)));
    }
  });
}

it('requests a watched operation again until the server knows it, without a call before', async () => {
  const peer = await open();
  const seen: number[] = [];
  const gone: string[] = [];
  client.onGone((op) => gone.push(op));
  client.watch(id, ({ seq }) => seen.push(seq));
  knowNothing(peer);
  await peer.received(4);
  expect([seen, gone]).toEqual([[], []]);
  peer.socket.removeAllListeners('message');
  peer.send({ t: 'ops', d: [sampleSnapshot({ seq: 1 })] });
  await until(() => seen[0]);
  expect([seen, gone]).toEqual([[1], []]);
});

it('requests many unknown operations in one message', async () => {
  const peer = await open();
  const ids = Array.from({ length: 50 }, (_, number) => `op${number}`);
  for (const each of ids) client.watch(each, () => undefined);
  await peer.received(1);
  peer.send(unknown(...ids));
  const [, again] = await peer.received(2);
  expect(again).toMatchObject({ t: 'sub', ops: ids.map((op) => ({ op })) });
});

it('reports not_found once after its time, and stops', async () => {
  const peer = await open();
  const gone: string[] = [];
  client.onGone((op, why) => gone.push(`${op} ${why}`));
  client.watch(id, () => undefined);
  const startedAt = performance.now();
  knowNothing(peer);
  await until(() => gone[0]);
  expect(performance.now() - startedAt).toBeGreaterThan(unknownForMs / 25 - 10);
  const count = peer.messages.length;
  await new Promise((resolve) => {
    setTimeout(resolve, 100);
  });
  expect([gone, peer.messages.length]).toEqual([[`${id} not_found`], count]);
});

it('keeps a known operation that another process does not know yet', async () => {
  const peer = await open();
  client.watch(id, () => undefined);
  peer.send({ t: 'ops', d: [sampleSnapshot({ seq: 7 })] });
  await until(() => client.get(id));
  peer.socket.terminate();
  const next = await server.peer(2);
  next.hello('e2');
  await next.received(1);
  next.send(unknown(id));
  expect((await next.received(2))[1]).toMatchObject({ ops: [{ op: id, epoch: 'e1', seq: 7 }] });
  expect(client.get(id)?.seq).toBe(7);
});

it('does not request what is no longer watched, and reports at once what only a list had', async () => {
  const peer = await open();
  const gone: string[] = [];
  client.onGone((op, why) => gone.push(`${op} ${why}`));
  client.watch(id, () => undefined)();
  client.watch('other', () => undefined);
  await peer.received(1);
  peer.send(unknown('other', 'listed'));
  await until(() => gone[0]);
  expect(gone).toEqual(['listed not_found']);
  expect((await peer.received(2))[1]).toMatchObject({ ops: [{ op: 'other' }] });
});

it('has no timer after close', async () => {
  const peer = await open();
  client.watch(id, () => undefined);
  knowNothing(peer);
  await peer.received(2);
  client.close();
  const count = peer.messages.length;
  await new Promise((resolve) => {
    setTimeout(resolve, 100);
  });
  expect(peer.messages.length).toBe(count);
});
