import { setTimeout as sleep } from 'node:timers/promises';
import { isTerminal } from '@wcc/progress';
import { readEvents } from './event-reader.ts';
import { unknownId, ensure } from './target.ts';
import type { Check } from './target.ts';
import { quietMs, ensureForwards } from './watching-cases.ts';
import { doneOf } from './wire-client.ts';

/** The rules of server-sent events. */
export const eventCases: Readonly<Record<string, Check>> = {
  'events: sends all snapshots with their ids until the end': async (target) => {
    const operation = await target.begin();
    const reader = await readEvents(target, { op: operation.id });
    ensure(reader.status === 200, 'a permitted user receives a stream', reader.status);
    const type = reader.headers['content-type'] ?? '';
    ensure(type.startsWith('text/event-stream'), 'the type is text/event-stream', type);
    ensure(
      reader.headers['x-accel-buffering'] === 'no',
      'the header forbids buffering by proxies',
      reader.headers,
    );
    await reader.snapshot();
    await operation.advance(50);
    await reader.snapshot((snapshot) => doneOf(snapshot) === 50);
    await operation.end();
    await reader.over();
    const snapshots = reader.snapshots();
    ensureForwards(snapshots);
    ensure(snapshots.at(-1)?.state === 'succeeded', 'the last event is the end', snapshots.at(-1));
    const ids = reader.events().flatMap(({ id, name }) => (name === 'op' ? [id] : []));
    const expected = snapshots.map(({ epoch, seq }) => `${epoch}:${seq}`);
    ensure(ids.join() === expected.join(), 'the id of an event is "<epoch>:<seq>"', ids);
  },

  'events: resumes after Last-Event-ID and answers 204 after the end': async (target) => {
    const operation = await target.begin();
    await operation.advance(10);
    const first = await readEvents(target, { op: operation.id });
    await first.snapshot();
    await operation.end();
    const latest = await first.snapshot(({ state }) => isTerminal(state));
    const newest = `${latest.epoch}:${latest.seq}`;
    const again = await readEvents(target, { op: operation.id, 'last-event-id': newest });
    again.close();
    ensure(again.status === 204, 'a client that holds the end receives 204', again.status);
    const older = await readEvents(target, {
      op: operation.id,
      'last-event-id': `${latest.epoch}:${latest.seq - 1}`,
    });
    await older.over();
    const seqs = older.snapshots().map(({ seq }) => seq);
    ensure(
      seqs.join() === String(latest.seq),
      'a client that holds an older snapshot receives the newest',
      seqs,
    );
  },

  'events: does not send again what the client holds': async (target) => {
    const operation = await target.begin();
    const first = await readEvents(target, { op: operation.id });
    const { epoch, seq } = await first.snapshot();
    const second = await readEvents(target, { op: operation.id, 'last-event-id': `${epoch}:${seq}` });
    await operation.advance(70);
    await second.snapshot((snapshot) => doneOf(snapshot) === 70);
    ensure(
      second.snapshots().every((snapshot) => snapshot.seq > seq),
      'only newer snapshots follow',
    );
    first.close();
    second.close();
  },

  'events: answers forbidden and unknown operations with the same 404': async (target) => {
    const operation = await target.begin();
    const answers = [];
    for (const op of [operation.id, unknownId]) {
      const reader = await readEvents(target, { op, user: 'stranger' });
      if (reader.status === 404) await reader.over();
      else reader.close();
      answers.push({ status: reader.status, text: reader.text.replaceAll(op, '…') });
    }
    ensure(
      answers.every(({ status }) => status === 404),
      'both are answered 404',
      answers,
    );
    ensure(new Set(answers.map(({ text }) => text)).size === 1, 'the two answers are the same', answers);
  },

  'events: refuses a page of another site': async (target) => {
    const operation = await target.begin();
    for (const site of ['cross-site', 'same-site']) {
      const reader = await readEvents(target, { op: operation.id, 'sec-fetch-site': site });
      reader.close();
      ensure(reader.status === 403, `Sec-Fetch-Site: ${site} is answered 403`, reader.status);
    }
  },
};

/** For targets that can revoke a right. */
export const eventRevocationCases: Readonly<Record<string, Check>> = {
  'events: sends gone when the right is revoked, then ends': async (target) => {
    const operation = await target.begin();
    const reader = await readEvents(target, { op: operation.id });
    await reader.snapshot();
    await target.revoke?.(operation.id);
    await reader.until(() => reader.events().find(({ name }) => name === 'gone'), 'the event "gone"');
    await reader.over();
    await sleep(quietMs / 2);
    ensure(reader.events().at(-1)?.name === 'gone', 'nothing comes after "gone"');
  },
};
