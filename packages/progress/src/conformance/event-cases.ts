import { setTimeout as sleep } from 'node:timers/promises';
import { isTerminal } from '@wcc/progress';
import { readEvents } from './event-reader.ts';
import { unknownId, ensure } from './target.ts';
import type { Check } from './target.ts';
import { quietMs, ensureForwards } from './watching-cases.ts';
import { doneOf } from './wire-client.ts';

/** The same truth by server-sent events. */
export const eventCases: Readonly<Record<string, Check>> = {
  'events: the same snapshots, each with its id, until the end': async (target) => {
    const operation = await target.begin();
    const reader = await readEvents(target, { op: operation.id });
    ensure(reader.status === 200, 'whoever may watch gets a stream', reader.status);
    const type = reader.headers['content-type'] ?? '';
    ensure(type.startsWith('text/event-stream'), 'its type is text/event-stream', type);
    ensure(reader.headers['x-accel-buffering'] === 'no', 'no proxy may buffer it', reader.headers);
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

  'events: Last-Event-ID resumes, and 204 after the end': async (target) => {
    const operation = await target.begin();
    await operation.advance(10);
    const first = await readEvents(target, { op: operation.id });
    await first.snapshot();
    await operation.end();
    const held = await first.snapshot(({ state }) => isTerminal(state));
    const newest = `${held.epoch}:${held.seq}`;
    const again = await readEvents(target, { op: operation.id, 'last-event-id': newest });
    again.close();
    ensure(again.status === 204, 'who holds the end is told 204: an EventSource stops', again.status);
    const older = await readEvents(target, {
      op: operation.id,
      'last-event-id': `${held.epoch}:${held.seq - 1}`,
    });
    await older.over();
    const seqs = older.snapshots().map(({ seq }) => seq);
    ensure(seqs.join() === String(held.seq), 'who holds an older one gets the newest', seqs);
  },

  'events: what is held already is not sent again': async (target) => {
    const operation = await target.begin();
    const first = await readEvents(target, { op: operation.id });
    const { epoch, seq } = await first.snapshot();
    const second = await readEvents(target, { op: operation.id, 'last-event-id': `${epoch}:${seq}` });
    await operation.advance(70);
    await second.snapshot((snapshot) => doneOf(snapshot) === 70);
    ensure(
      second.snapshots().every((snapshot) => snapshot.seq > seq),
      'only newer ones follow',
    );
    first.close();
    second.close();
  },

  'events: the forbidden and the unknown are the same 404': async (target) => {
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
    ensure(new Set(answers.map(({ text }) => text)).size === 1, 'they cannot be told apart', answers);
  },

  'events: a page of another site gets none': async (target) => {
    const operation = await target.begin();
    for (const site of ['cross-site', 'same-site']) {
      const reader = await readEvents(target, { op: operation.id, 'sec-fetch-site': site });
      reader.close();
      ensure(reader.status === 403, `Sec-Fetch-Site: ${site} is answered 403`, reader.status);
    }
  },
};

/** For targets that can take a right away. */
export const eventRevocationCases: Readonly<Record<string, Check>> = {
  'events: gone when the right is taken, then the end': async (target) => {
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
