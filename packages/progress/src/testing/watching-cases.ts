import type { Snapshot } from '@wcc/progress';
import type { Row } from '@wcc/progress/protocol';
import { isTerminal } from '@wcc/progress';
import { closeCodes, defaultLimits, maxSnapshotBytes } from '@wcc/progress/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { unknownId, ensure } from './target.ts';
import type { Check } from './target.ts';
import { connectAs, doneOf } from './wire-client.ts';
import type { WireSocket } from './wire-client.ts';

const steps = 40;
/** Several ticks: how long a case waits for messages that must not arrive. */
export const quietMs: number = 500;

async function rowOf(socket: WireSocket, id: number): Promise<Row | undefined> {
  return (await socket.next('ok', (ok) => ok.id === id)).res?.[0];
}

/** Asserts that within an epoch `seq` increases and `done` never decreases in a phase. */
export function ensureForwards(snapshots: readonly Snapshot[]): void {
  for (const [at, snapshot] of snapshots.entries()) {
    const before = snapshots[at - 1];
    if (before === undefined || before.epoch !== snapshot.epoch) continue;
    const pair = { before: [before.seq, doneOf(before)], now: [snapshot.seq, doneOf(snapshot)] };
    ensure(snapshot.seq > before.seq, '"seq" increases within an epoch', pair);
    if (snapshot.phaseIndex !== before.phaseIndex) continue;
    ensure((doneOf(snapshot) ?? 0) >= (doneOf(before) ?? 0), '"done" never decreases within a phase', pair);
    ensure(!isTerminal(before.state), 'nothing follows the end', pair);
  }
}

/** The rules of subscriptions, snapshots and rights. */
export const watchingCases: Readonly<Record<string, Check>> = {
  'sends the first snapshot, newer ones and the end, in order': async (target) => {
    const operation = await target.begin();
    const socket = await connectAs(target, 'watcher');
    socket.send({ t: 'sub', id: 7, ops: [{ op: operation.id }] });
    const row = await rowOf(socket, 7);
    ensure(
      row?.op === operation.id && row.err === undefined,
      '"ok" answers with a row for the operation',
      row,
    );
    await socket.snapshot(operation.id);
    for (const done of [20, 40, 60]) {
      await operation.advance(done);
      await socket.snapshot(operation.id, (snapshot) => (doneOf(snapshot) ?? 0) >= done);
    }
    await operation.end();
    await socket.snapshot(operation.id, ({ state }) => state === 'succeeded');
    ensureForwards(socket.snapshots(operation.id));
    const types = socket.messages.map(({ t }) => t);
    ensure(types.indexOf('ok') < types.indexOf('ops'), '"ok" comes before its snapshots', types);
    const longest = Math.max(
      ...socket.snapshots(operation.id).map((each) => Buffer.byteLength(JSON.stringify(each))),
    );
    ensure(longest <= maxSnapshotBytes, `a snapshot has at most ${maxSnapshotBytes} bytes`, longest);
    await socket.close();
  },

  'answers forbidden and unknown operations with the same bytes': async (target) => {
    const operation = await target.begin();
    const socket = await connectAs(target, 'stranger');
    const answers: string[] = [];
    for (const op of [operation.id, unknownId]) {
      const at = socket.texts.length;
      socket.send({ t: 'sub', id: 1, ops: [{ op, epoch: 'x', seq: 1 }] });
      const text = await socket.until(
        () => socket.texts.slice(at).find((each) => each.includes(op)),
        'an answer',
      );
      answers.push(text.replaceAll(op, '…'));
    }
    ensure(new Set(answers).size === 1, 'forbidden and unknown have the same answer', answers);
    ensure(
      answers.every((answer) => answer.includes('"not_found"')),
      'both are "not_found"',
      answers,
    );
    await socket.close();
  },

  'sends nothing of an operation to a stranger, by name or list': async (target) => {
    const operation = await target.begin();
    const stranger = await connectAs(target, 'stranger');
    const watcher = await connectAs(target, 'watcher');
    stranger.send({ t: 'sub', id: 1, ops: [{ op: operation.id }] });
    stranger.send({ t: 'sub', id: 2, list: 'all' });
    await stranger.next('ok', ({ id }) => id === 2);
    watcher.send({ t: 'sub', id: 1, ops: [{ op: operation.id }] });
    await operation.advance(50);
    await operation.end();
    // The stranger had as much time as the watcher, who has received the end.
    await watcher.snapshot(operation.id, ({ state }) => state === 'succeeded');
    await sleep(quietMs);
    const seen = stranger.texts.filter(
      (text) => text.includes(operation.id) && !text.includes('"not_found"'),
    );
    ensure(seen.length === 0, 'the stranger receives no message about the operation', seen);
    await stranger.close();
    await watcher.close();
  },

  'resumes: sends no current snapshot again and the newest for an old one': async (target) => {
    const operation = await target.begin();
    await operation.advance(30);
    const first = await connectAs(target, 'watcher');
    first.send({ t: 'sub', id: 1, ops: [{ op: operation.id }] });
    await first.snapshot(operation.id);
    await operation.end();
    const latest = await first.snapshot(operation.id, ({ state }) => isTerminal(state));
    await first.close();
    const { id: op } = operation;
    const socket = await connectAs(target, 'watcher');
    socket.send({ t: 'sub', id: 1, ops: [{ op, epoch: latest.epoch, seq: latest.seq }] });
    const row = await rowOf(socket, 1);
    ensure(row?.cur === true, 'a client that holds the newest snapshot receives "cur"', row);
    await sleep(quietMs);
    ensure(socket.snapshots(op).length === 0, 'a current snapshot is not sent again');
    socket.send({ t: 'sub', id: 2, ops: [{ op, epoch: latest.epoch, seq: latest.seq - 1 }] });
    const older = await socket.snapshot(op);
    ensure(older.seq === latest.seq, 'a client that holds an older snapshot receives the newest', older);
    socket.send({ t: 'sub', id: 3, ops: [{ op, epoch: `${latest.epoch}x`, seq: latest.seq + 1000 }] });
    await socket.until(() => socket.snapshots(op)[1], 'the snapshot for a client of another epoch');
    await socket.close();
  },

  'ends a subscription after unsub': async (target) => {
    const operation = await target.begin();
    const socket = await connectAs(target, 'watcher');
    const other = await connectAs(target, 'watcher');
    for (const each of [socket, other]) {
      each.send({ t: 'sub', id: 1, ops: [{ op: operation.id }] });
      await each.snapshot(operation.id);
    }
    socket.send({ t: 'unsub', id: 2, ops: [operation.id] });
    await socket.next('ok', ({ id }) => id === 2);
    const count = socket.snapshots(operation.id).length;
    await operation.end();
    await other.snapshot(operation.id, ({ state }) => isTerminal(state));
    await sleep(quietMs);
    ensure(socket.snapshots(operation.id).length === count, 'nothing follows "unsub"');
    await socket.close();
    await other.close();
  },

  'lists running operations and adds new ones': async (target) => {
    const before = await target.begin();
    const socket = await connectAs(target, 'watcher');
    socket.send({ t: 'sub', id: 1, list: 'all' });
    const ok = await socket.next('ok');
    ensure(ok.list === 'all', '"ok" names the list', ok);
    ensure(ok.res?.some(({ op }) => op === before.id) === true, 'a running operation is in the list', ok);
    await socket.snapshot(before.id);
    const later = await target.begin();
    await socket.snapshot(later.id);
    await socket.close();
  },

  'waits for the Pong, then sends only the newest snapshot': async (target) => {
    const operation = await target.begin();
    const socket = await connectAs(target, 'watcher', { autoPong: false });
    const reader = await connectAs(target, 'watcher');
    for (const each of [socket, reader]) each.send({ t: 'sub', id: 1, ops: [{ op: operation.id }] });
    // The reader receives each step before the next one, so each step is a separate change.
    for (let done = 1; done <= steps; done += 1) {
      await operation.advance(done);
      await reader.snapshot(operation.id, (snapshot) => (doneOf(snapshot) ?? 0) >= done);
    }
    const unacknowledged = socket.texts.filter((text) => text.startsWith('{"t":"ops"'));
    const bytes = unacknowledged.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    const most = defaultLimits.bytesPerPing + defaultLimits.flushBytes;
    ensure(
      unacknowledged.length <= defaultLimits.flushesPerPing && bytes <= most,
      'bytes without a Pong are limited',
      {
        messages: unacknowledged.length,
        bytes,
      },
    );
    const waiting = await socket.until(() => socket.pings.shift(), 'a Ping');
    const at = socket.snapshots(operation.id).length;
    socket.pong(waiting);
    const next = await socket.until(() => socket.snapshots(operation.id)[at], 'a snapshot after the Pong');
    ensure(doneOf(next) === steps, 'the newest snapshot follows the Pong, not the missed ones', doneOf(next));
    await socket.close();
    await reader.close();
  },
};

/** For targets that can revoke a right. */
export const revocationCases: Readonly<Record<string, Check>> = {
  'sends gone when the right is revoked, then nothing': async (target) => {
    const operation = await target.begin();
    const socket = await connectAs(target, 'watcher');
    socket.send({ t: 'sub', id: 1, ops: [{ op: operation.id }] });
    await socket.snapshot(operation.id);
    await target.revoke?.(operation.id);
    const { why } = await socket.next('gone', ({ op }) => op === operation.id);
    ensure(why === 'revoked', 'the reason is "revoked"', why);
    const count = socket.messages.length;
    await operation.advance(90);
    await sleep(quietMs);
    const after = socket.texts.slice(count).filter((text) => text.includes(operation.id));
    ensure(after.length === 0, 'nothing about the operation follows "gone"', after);
    await socket.close();
  },
};

/** For targets that can end a session. */
export const sessionCases: Readonly<Record<string, Check>> = {
  'closes with 4401 when the session ends': async (target) => {
    const socket = await connectAs(target, 'watcher');
    await target.endSession?.();
    const code = await socket.closed();
    ensure(code === closeCodes.sessionEnded, `the close code is ${closeCodes.sessionEnded}`, code);
  },
};
