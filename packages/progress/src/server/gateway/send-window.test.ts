import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { defaultLimits } from '@wcc/progress/protocol';
import { startGateway } from '../testkit/gateway.testkit.ts';
import type { GatewayUnderTest } from '../testkit/gateway.testkit.ts';
import { connectSlowReader } from '../testkit/raw-socket.testkit.ts';
import type { SlowReader } from '../testkit/raw-socket.testkit.ts';
import { copyRecord, ended, moved } from '../testkit/record.testkit.ts';
import { connect } from '../testkit/socket.testkit.ts';
import { createSendWindow } from './send-window.ts';
import type { SendWindow, WindowSocket } from './send-window.ts';

interface Wire extends WindowSocket {
  sent: string[];
  pings: string[];
  overflows: number;
  buffered: number;
  ms: number;
}

function wired(): { wire: Wire; sendWindow: SendWindow } {
  const wire: Wire = {
    sent: [],
    pings: [],
    overflows: 0,
    buffered: 0,
    ms: 0,
    send: (data) => void wire.sent.push(data.toString()),
    ping: (payload) => void wire.pings.push(payload),
    sendTogether: (sends) => sends(),
    bufferedBytes: () => wire.buffered,
    overflow: () => (wire.overflows += 1),
    now: () => wire.ms,
  };
  return { wire, sendWindow: createSendWindow(wire, defaultLimits) };
}

const snapshot = (op: string, sizeBytes = 100): Buffer => Buffer.from(`{"id":"${op}"}`.padEnd(sizeBytes));
const opsOf = (text: string | undefined): string[] =>
  (JSON.parse(text ?? '{"d":[]}') as { d: { id: string }[] }).d.map(({ id }) => id);

/** Repeats `times` times: marks an operation and flushes. Each flush is a small message. */
function flushTimes(sendWindow: SendWindow, times: number): void {
  for (let count = 0; count < times; count += 1) {
    sendWindow.markDirty('a', snapshot('a'));
    sendWindow.flush();
  }
}

describe('send window: credit', () => {
  it('flushes nothing until the Pong, then continues', () => {
    const { wire, sendWindow } = wired();
    flushTimes(sendWindow, 3);
    expect([wire.sent.length, wire.pings]).toEqual([1, ['1']]);
    expect(sendWindow.pong('0')).toBe(false);
    expect(wire.sent).toHaveLength(1);
    expect(sendWindow.pong('1')).toBe(true);
    expect(wire.sent).toHaveLength(2);
  });

  it('allows a prompt reader four flushes per Ping and a late one a single flush', () => {
    const { wire, sendWindow } = wired();
    flushTimes(sendWindow, 1);
    sendWindow.pong('1');
    flushTimes(sendWindow, 9);
    expect([wire.sent.length, wire.pings]).toEqual([5, ['1', '5']]);
    wire.ms = 2000;
    sendWindow.pong('5');
    expect([wire.sent.length, wire.pings]).toEqual([6, ['1', '5', '6']]);
    wire.ms = 2010;
    sendWindow.pong('6');
    flushTimes(sendWindow, 9);
    expect(wire.sent).toHaveLength(10);
  });

  it('sends at most 16 KiB at once, oldest first, and a Ping after 8 KiB', () => {
    const { wire, sendWindow } = wired();
    const ids = Array.from({ length: 20 }, (_, index) => `op${index}`);
    for (const id of ids) sendWindow.markDirty(id, snapshot(id, 2000));
    sendWindow.markDirty('op0', snapshot('op0', 2000));
    sendWindow.flush();
    expect(opsOf(wire.sent[0])).toEqual(ids.slice(0, 8));
    expect(wire.pings).toEqual(['1']);
    sendWindow.pong('1');
    expect(opsOf(wire.sent[1])).toEqual(ids.slice(8, 16));
    sendWindow.clearDirty('op17');
    sendWindow.pong('2');
    expect(opsOf(wire.sent[2])).toEqual(['op16', 'op18', 'op19']);
  });

  it('keeps only the newest snapshot of each operation', () => {
    const { wire, sendWindow } = wired();
    flushTimes(sendWindow, 1);
    for (let seq = 0; seq < 1000; seq += 1) sendWindow.markDirty('b', Buffer.from(`{"id":"b${seq}"}`));
    sendWindow.pong('1');
    expect(wire.sent.slice(1).flatMap(opsOf)).toEqual(['b999']);
    expect(sendWindow.hasDirty()).toBe(false);
  });

  it('ends a connection with more than 256 KiB buffered, or in flight without a Pong', () => {
    const inProcess = wired();
    inProcess.wire.buffered = 262_145;
    inProcess.sendWindow.send('x');
    expect(inProcess.wire.overflows).toBe(1);
    const onItsWay = wired();
    for (let count = 0; count < 64; count += 1) onItsWay.sendWindow.send('x'.repeat(4096));
    expect([onItsWay.wire.overflows, onItsWay.sendWindow.uncoveredBytes()]).toEqual([0, 262_144]);
    onItsWay.sendWindow.send('x');
    expect(onItsWay.wire.overflows).toBe(1);
  });

  it('sends one probe and reports when that probe was sent', () => {
    const { wire, sendWindow } = wired();
    wire.ms = 70;
    sendWindow.probe();
    sendWindow.probe();
    expect([wire.pings.length, sendWindow.awaitingSinceMs()]).toEqual([1, 70]);
    sendWindow.pong(wire.pings[0] ?? '');
    expect(sendWindow.awaitingSinceMs()).toBeNull();
  });
});

describe('send window: real sockets', () => {
  let under: GatewayUnderTest | null = null;
  const readers: SlowReader[] = [];

  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.stop();
    await under?.close();
  });

  const slowReader = async (bytesPerSecond: number): Promise<SlowReader> => {
    const reader = await connectSlowReader(under!, bytesPerSecond);
    readers.push(reader);
    return reader;
  };

  it(
    'keeps a reader of 2 kB/s no more than 2 × snapshot / bandwidth + 0.5 s behind',
    { timeout: 20_000 },
    async () => {
      under = await startGateway({ tickMs: 100 });
      const record = copyRecord();
      let done = 0;
      under.hub.put(record);
      under.hub.pull(record.id, () => moved(record, Math.min(999, (done += 1))));
      const reader = await slowReader(2000);
      const behindMs: number[] = [];
      let receivedAtMs: number | null = null;
      reader.onMessage((message) => {
        if (message.t === 'ops') receivedAtMs = Date.parse(message.d.at(-1)?.at ?? '');
      });
      reader.send({ t: 'sub', id: 1, ops: [{ op: record.id }] });
      // This process serves, reads and measures. The tick slows to four times the event-loop lag of the process.
      let lateMs = 0;
      for (let waitedMs = 0; waitedMs < 5000; waitedMs += 20) {
        const startedAtMs = performance.now();
        await sleep(20);
        lateMs = Math.max(lateMs, performance.now() - startedAtMs - 20);
        if (receivedAtMs !== null) behindMs.push(Date.now() - receivedAtMs);
      }
      const snapshotBytes = under.hub.bytes(record.id)?.length ?? 0;
      const boundMs = (2 * snapshotBytes * 1000) / 2000 + 500;
      console.log(
        `2 kB/s: at most ${Math.max(...behindMs)} ms behind, bound ${boundMs} ms, late ${Math.round(lateMs)} ms`,
      );
      expect(behindMs.length).toBeGreaterThan(100);
      expect(Math.max(...behindMs)).toBeLessThanOrEqual(boundMs + 4 * lateMs);
    },
  );

  it('bounds the memory of a stopped reader, which receives the end when it reads again', async () => {
    under = await startGateway({ tickMs: 10 });
    const record = copyRecord();
    under.hub.put(record);
    const reader = await slowReader(1e7);
    let last: string | undefined;
    let messages = 0;
    reader.onMessage((message) => {
      if (message.t !== 'ops') return;
      messages += 1;
      last = message.d.at(-1)?.state;
    });
    reader.send({ t: 'sub', id: 1, ops: [{ op: record.id }] });
    await sleep(200);
    reader.setBytesPerSecond(0);
    const before = messages;
    for (let done = 1; done <= 100; done += 1) {
      under.hub.put(moved(record, done));
      await sleep(10);
    }
    under.hub.put(ended(moved(record, 1000)));
    await sleep(50);
    reader.setBytesPerSecond(1e7);
    await sleep(200);
    expect(last).toBe('succeeded');
    // The gateway sent at most four snapshots, then the newest one, and skipped all others.
    expect(messages - before).toBeLessThanOrEqual(6);
  });

  it('serves 160 readers with bounded memory while 200 clients never read', { timeout: 30_000 }, async () => {
    under = await startGateway({
      tickMs: 50,
      limits: { socketsPerUser: 1000, pendingUpgradesPerAddress: 1000 },
    });
    const { hub } = under;
    const records = Array.from({ length: 10 }, () => copyRecord());
    for (const record of records) hub.put(record);
    const ops = records.map(({ id }) => ({ op: id }));
    const stalled = await Promise.all(Array.from({ length: 200 }, () => slowReader(0)));
    for (const reader of stalled) reader.send({ t: 'sub', id: 1, ops });
    const clients = await Promise.all(Array.from({ length: 160 }, () => connect(under!)));
    for (const client of clients) client.send({ t: 'sub', id: 1, ops });
    await Promise.all(clients.map((client) => client.snapshot(records[0]!.id)));
    const before = process.memoryUsage().arrayBuffers;
    for (let done = 1; done <= 40; done += 1) {
      for (const record of records) hub.put(moved(record, done * 10));
      await sleep(25);
    }
    for (const record of records) hub.put(ended(moved(record, 1000)));
    const endedAtMs = performance.now();
    await Promise.all(
      clients.flatMap((client) =>
        records.map(({ id }) => client.snapshot(id, ({ state }) => state === 'succeeded')),
      ),
    );
    const tookMs = Math.round(performance.now() - endedAtMs);
    const grownMiB = (process.memoryUsage().arrayBuffers - before) / 2 ** 20;
    console.log(
      `160 readers have all 10 ends after ${tookMs} ms; buffers grew by ${grownMiB.toFixed(1)} MiB`,
    );
    expect(tookMs).toBeLessThan(4000);
    expect(grownMiB).toBeLessThan(32);
    expect(under.gateway.connections).toBe(360);
    for (const client of clients) client.socket.terminate();
  });
});
