import { afterEach, describe, expect, it, vi } from 'vitest';
import { startGateway } from '../testkit/gateway.testkit.ts';
import type { GatewayChanges, GatewayUnderTest } from '../testkit/gateway.testkit.ts';
import { clientFrame, connectSlowReader } from '../testkit/raw-socket.testkit.ts';
import { copyRecord, newId } from '../testkit/record.testkit.ts';
import { connect } from '../testkit/socket.testkit.ts';

const running: GatewayUnderTest[] = [];

async function start(changes: GatewayChanges = {}): Promise<GatewayUnderTest> {
  const under = await startGateway(changes);
  running.push(under);
  return under;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((under) => under.close()));
});

describe('limits of client messages', () => {
  const tooMany = Array.from({ length: 65 }, () => ({ op: newId() }));

  it.each<[string, string]>([
    ['text that is not JSON', 'hello'],
    ['JSON that is not an object', '[1]'],
    ['null', 'null'],
    ['an unknown type', '{"t":"publish","id":1}'],
    ['no id', '{"t":"sub","ops":[{"op":"x"}]}'],
    ['a negative id', '{"t":"sub","id":-1,"ops":[{"op":"x"}]}'],
    ['neither ops nor list', '{"t":"sub","id":1}'],
    ['both ops and list', '{"t":"sub","id":1,"list":"all","ops":[{"op":"x"}]}'],
    ['no ops', '{"t":"sub","id":1,"ops":[]}'],
    ['more than 64 ops', JSON.stringify({ t: 'sub', id: 1, ops: tooMany })],
    ['ops that are names', '{"t":"sub","id":1,"ops":["x"]}'],
    ['a name of 65 characters', JSON.stringify({ t: 'sub', id: 1, ops: [{ op: 'x'.repeat(65) }] })],
    ['a broken seq', '{"t":"sub","id":1,"ops":[{"op":"x","epoch":"e","seq":1.5}]}'],
    ['an unknown list', '{"t":"sub","id":1,"list":"theirs"}'],
    ['an unsub of objects', '{"t":"unsub","id":1,"ops":[{"op":"x"}]}'],
    ['a refresh without ticket', '{"t":"refresh","id":1}'],
  ])('closes with 4400 after %s', async (_what, text) => {
    const client = await connect(await start());
    client.socket.send(text);
    expect(await client.closed).toBe(4400);
  });

  it('closes with 1003 after a binary message', async () => {
    const client = await connect(await start());
    client.socket.send(Buffer.from('{"t":"sub","id":1,"list":"all"}'), { binary: true });
    expect(await client.closed).toBe(1003);
  });

  it('closes with 1009 after more than 16 KiB, in fragments too', async () => {
    const under = await start();
    const client = await connect(under);
    client.socket.send('x'.repeat(16_385));
    expect(await client.closed).toBe(1009);
    const raw = await connectSlowReader(under, 1e6);
    for (let count = 0; count < 20; count += 1) {
      raw.socket.write(clientFrame(count === 0 ? 1 : 0, Buffer.alloc(1000, 'x'), false));
    }
    await vi.waitFor(() => expect(raw.closeCode()).toBe(1009), { timeout: 5000 });
    raw.stop();
  });

  it('allows 40 messages at once and 20 a second, then sends a wait and closes with 4429', async () => {
    const client = await connect(await start());
    for (let id = 0; id < 40; id += 1) client.send({ t: 'unsub', id, ops: ['x'] });
    await client.next('ok', ({ id }) => id === 39);
    for (let id = 40; id < 140; id += 1) client.send({ t: 'unsub', id, ops: ['x'] });
    expect(await client.closed).toBe(4429);
    const error = await client.next('err');
    expect(error).toMatchObject({ t: 'err', id: null, code: 'rate', retry: true });
    expect(error.ms).toBeGreaterThan(1000);
    expect(error.ms).toBeLessThanOrEqual(2000);
    const answered = client.messages.filter(({ t }) => t === 'ok').length;
    expect(answered).toBeGreaterThanOrEqual(40);
    expect(answered).toBeLessThan(140);
  });

  it('counts Pings and unexpected Pongs as messages', async () => {
    const client = await connect(await start());
    for (let count = 0; count < 150; count += 1) {
      if (count % 2 === 0) client.socket.ping();
      else client.socket.pong('unasked');
    }
    expect(await client.closed).toBe(4429);
  });

  it('allows 128 operations by name, and the refusal reveals nothing about them', async () => {
    const under = await start();
    const mine = Array.from({ length: 130 }, () => copyRecord());
    for (const record of mine) under.hub.put(record);
    const client = await connect(under);
    const subscribe = async (id: number, ops: string[]): Promise<unknown[]> => {
      client.send({ t: 'sub', id, ops: ops.map((op) => ({ op })) });
      return (await client.next('ok', (ok) => ok.id === id)).res ?? [];
    };
    const ids = mine.map(({ id }) => id);
    await subscribe(1, ids.slice(0, 64));
    await subscribe(2, ids.slice(64, 128));
    const [known, unknown] = [ids[128]!, newId()];
    expect(await subscribe(3, [known, unknown])).toEqual([
      { op: known, err: 'too_many_subs' },
      { op: unknown, err: 'too_many_subs' },
    ]);
    client.send({ t: 'unsub', id: 4, ops: [ids[0]!] });
    expect(await subscribe(5, [known])).toEqual([{ op: known }]);
    await client.snapshot(known);
    expect(client.latest.size).toBe(129);
  });

  it('answers forbidden and unknown operations with the same bytes', async () => {
    const under = await start();
    const foreign = copyRecord({ owner: 'u2' });
    under.hub.put(foreign);
    const client = await connect(under);
    const unknown = newId();
    for (const [id, op] of [foreign.id, unknown, 'copy_vm_image_100'].entries()) {
      client.send({ t: 'sub', id, ops: [{ op, epoch: under.hub.epoch, seq: 1 }] });
      await client.next('ok', (ok) => ok.id === id);
    }
    const answers = client.texts
      .filter((text) => text.includes('"ok"'))
      .map((text, id) => text.replace(`"id":${id}`, ''));
    const blank = answers.map((text, index) =>
      text.replace([foreign.id, unknown, 'copy_vm_image_100'][index]!, ''),
    );
    expect(new Set(blank)).toEqual(new Set(['{"t":"ok",,"res":[{"op":"","err":"not_found"}]}']));
    expect(client.latest.size).toBe(0);
  });
});

describe('limits of time', () => {
  it('sends a heartbeat when nothing else is sent', async () => {
    const client = await connect(await start({ limits: { heartbeatMs: 300 } }));
    const { now } = await client.next('hb');
    expect(Math.abs(Date.now() - now)).toBeLessThan(2000);
    expect(client.messages.map(({ t }) => t)).toEqual(['hello', 'hb']);
  });

  it('closes a socket without a Pong with 4408', async () => {
    const under = await start({ limits: { heartbeatMs: 200, pongMs: 600 } });
    const silent = await connectSlowReader(under, 1e6);
    // The client stops reading, so it does not answer Pings.
    silent.setBytesPerSecond(0);
    const alive = await connect(under);
    await vi.waitFor(() => expect(under.gateway.connections).toBe(1), { timeout: 10_000 });
    silent.setBytesPerSecond(1e6);
    await vi.waitFor(() => expect(silent.closeCode()).toBe(4408), { timeout: 10_000 });
    expect(alive.socket.readyState).toBe(1);
    silent.stop();
  });
});
