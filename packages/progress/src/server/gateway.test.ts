import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import type { Row } from '@wcc/progress/protocol';
import { principalOf, startGateway } from './testkit/gateway.testkit.ts';
import type { GatewayChanges, GatewayUnderTest } from './testkit/gateway.testkit.ts';
import { copyRecord, ended, moved, newId } from './testkit/record.testkit.ts';
import { connect, dial, listen } from './testkit/socket.testkit.ts';

const running: GatewayUnderTest[] = [];

async function start(changes: GatewayChanges = {}): Promise<GatewayUnderTest> {
  const under = await startGateway(changes);
  running.push(under);
  return under;
}

afterEach(async () => {
  const errors = running.flatMap((under) => under.errors);
  await Promise.all(running.splice(0).map((under) => under.close()));
  assert.deepEqual(errors, [], 'nothing failed behind the back of a test');
});

const rows = (res: Row[] | undefined): Row[] => res ?? [];

describe('watching by name', () => {
  it('sends hello, the answer, the snapshot and its changes', async () => {
    const { hub } = await start();
    const under = running[0]!;
    const record = copyRecord();
    hub.put(record);
    const client = await connect(under);
    expect(client.socket.protocol).toBe('wcc.v1');
    expect(client.messages[0]).toEqual({
      t: 'hello',
      v: 1,
      conn: expect.any(String),
      epoch: hub.epoch,
      hb: 8,
      exp: null,
      limits: { msg: 16_384, subs: 128, hz: 10 },
    });
    client.send({ t: 'sub', id: 1, ops: [{ op: record.id }] });
    expect(await client.next('ok')).toEqual({ t: 'ok', id: 1, res: [{ op: record.id }] });
    await client.snapshot(record.id, ({ seq }) => seq === 1);
    hub.put(moved(record, 700));
    hub.put(ended(moved(record, 1000)));
    expect(await client.snapshot(record.id, ({ state }) => state === 'succeeded')).toMatchObject({ seq: 3 });
    // `ok` comes before the snapshots, so the client knows what they belong to.
    expect(client.messages.map(({ t }) => t)).toEqual(['hello', 'ok', 'ops', 'ops']);
  });

  it('sends a current client no snapshot again', async () => {
    const under = await start();
    const record = copyRecord();
    const { epoch, seq } = under.hub.put(record);
    const client = await connect(under);
    client.send({ t: 'sub', id: 1, ops: [{ op: record.id, epoch, seq }] });
    expect((await client.next('ok')).res).toEqual([{ op: record.id, cur: true }]);
    client.send({ t: 'sub', id: 2, ops: [{ op: record.id, epoch: 'older', seq }] });
    await client.next('ok', ({ id }) => id === 2);
    await client.snapshot(record.id);
    expect(client.messages.filter(({ t }) => t === 'ops')).toHaveLength(1);
  });

  it('sends rights beside the snapshot, and again when they change', async () => {
    let mayCancel = true;
    const under = await start({ may: () => ({ cancel: mayCancel }) });
    const record = copyRecord();
    under.hub.put(record);
    const client = await connect(under);
    client.send({ t: 'sub', id: 1, ops: [{ op: record.id }] });
    expect((await client.next('ok')).res).toEqual([{ op: record.id, may: { cancel: true } }]);
    mayCancel = false;
    under.hub.reauthorize();
    expect(await client.next('may')).toEqual({ t: 'may', op: record.id, may: { cancel: false } });
    expect(String(under.hub.bytes(record.id))).not.toContain('"may"');
  });

  it('sends an operation with any id of the host, its rights and its end', async () => {
    let mayCancel = true;
    const ownIds = ['job "42"', '{é}\\', '7'];
    const past = snapshotOf(ended(copyRecord({ id: 'job of yesterday' })));
    const under = await start({
      may: () => ({ cancel: mayCancel }),
      lookup: (id) => Promise.resolve(id === past.id ? past : undefined),
    });
    const records = ownIds.map((id) => copyRecord({ id }));
    for (const record of records) under.hub.put(record);
    const client = await connect(under);
    client.send({ t: 'sub', id: 1, list: 'mine' });
    client.send({ t: 'sub', id: 2, ops: [...ownIds, past.id].map((op) => ({ op })) });
    const { res } = await client.next('ok', ({ id }) => id === 2);
    expect(res).toEqual([...ownIds, past.id].map((op) => ({ op, may: { cancel: true } })));
    mayCancel = false;
    under.hub.reauthorize();
    for (const op of ownIds) expect(await client.next('may', (may) => may.op === op)).toMatchObject({ op });
    under.hub.put(copyRecord({ id: 'later "43"' }));
    await client.next('may', ({ op }) => op === 'later "43"');
    for (const record of records) under.hub.put(ended(record));
    for (const op of ownIds) await client.snapshot(op, ({ state }) => state === 'succeeded');
    expect(await client.snapshot(past.id)).toMatchObject({ state: 'succeeded' });
  });

  it('finds operations outside the hub through lookup, with the same rights', async () => {
    const mine = snapshotOf(ended(copyRecord()));
    const foreign = snapshotOf(ended(copyRecord({ owner: 'u2' })));
    const under = await start({
      lookup: (id) => Promise.resolve([mine, foreign].find((snapshot) => snapshot.id === id)),
    });
    const client = await connect(under);
    const unknown = newId();
    client.send({ t: 'sub', id: 1, ops: [{ op: mine.id }, { op: foreign.id }, { op: unknown }] });
    expect((await client.next('ok')).res).toEqual([
      { op: mine.id },
      { op: foreign.id, err: 'not_found' },
      { op: unknown, err: 'not_found' },
    ]);
    expect(await client.snapshot(mine.id)).toMatchObject({ epoch: 'before', seq: 7, state: 'succeeded' });
    client.send({ t: 'sub', id: 2, ops: [{ op: mine.id, epoch: 'before', seq: 7 }] });
    expect((await client.next('ok', ({ id }) => id === 2)).res).toEqual([{ op: mine.id, cur: true }]);
    under.hub.remove(mine.id, 'deleted');
    await client.next('gone', ({ op }) => op === mine.id);
  });

  it('answers unavailable when lookup fails, and reports the error', async () => {
    const under = await start({ lookup: () => Promise.reject(new Error('store away')) });
    const client = await connect(under);
    client.send({ t: 'sub', id: 5, ops: [{ op: newId() }] });
    expect(await client.next('err')).toEqual({ t: 'err', id: 5, code: 'unavailable', retry: true, ms: 1000 });
    expect(under.errors.splice(0)).toMatchObject([{ stage: 'sub' }]);
  });

  it('stops after unsub', async () => {
    const under = await start();
    const record = copyRecord();
    under.hub.put(record);
    const client = await connect(under);
    client.send({ t: 'sub', id: 1, ops: [{ op: record.id }] });
    await client.snapshot(record.id);
    client.send({ t: 'unsub', id: 2, ops: [record.id] });
    await client.next('ok', ({ id }) => id === 2);
    under.hub.put(moved(record, 5));
    await sleep(80);
    expect(client.latest.get(record.id)?.seq).toBe(1);
  });
});

describe('watching a list', () => {
  it('lists permitted operations that run or ended recently, and adds new ones', async () => {
    const under = await start({ may: () => ({ cancel: true }) });
    const mine = copyRecord();
    const foreign = copyRecord({ owner: 'u2' });
    const old = ended(copyRecord(), { endedAt: new Date(Date.now() - 11 * 60_000).toISOString() });
    const recent = ended(copyRecord());
    for (const record of [recent, mine, foreign, old]) under.hub.put(record);
    const client = await connect(under);
    client.send({ t: 'sub', id: 3, list: 'all' });
    const ok = await client.next('ok');
    expect(ok).toMatchObject({ id: 3, list: 'all' });
    expect(ok.more).toBeUndefined();
    // Running operations come before ended ones.
    expect(rows(ok.res).map(({ op }) => op)).toEqual([mine.id, recent.id]);
    const later = copyRecord();
    under.hub.put(later);
    under.hub.put(copyRecord({ owner: 'u2' }));
    await client.snapshot(later.id);
    const types = client.messages.map((message) => message.t);
    expect(types.slice(-2)).toEqual(['may', 'ops']);
    expect([...client.latest.keys()].toSorted()).toEqual([mine.id, recent.id, later.id].toSorted());
  });

  it('distinguishes mine from all, and stops after unsub', async () => {
    const under = await start();
    const mine = copyRecord({ owner: 'admin' });
    const foreign = copyRecord();
    under.hub.put(mine);
    under.hub.put(foreign);
    const client = await connect(under, { user: 'admin' });
    client.send({ t: 'sub', id: 1, list: 'mine' });
    expect(rows((await client.next('ok')).res).map(({ op }) => op)).toEqual([mine.id]);
    client.send({ t: 'sub', id: 2, list: 'all' });
    const all = await client.next('ok', ({ id }) => id === 2);
    expect(rows(all.res)).toHaveLength(2);
    client.send({ t: 'unsub', id: 3, list: 'all' });
    await client.next('ok', ({ id }) => id === 3);
    under.hub.put(moved(foreign, 9));
    await sleep(80);
    expect(client.latest.get(foreign.id)?.seq).toBe(1);
  });

  it('cuts a list at its limit and says so', async () => {
    const under = await start({ limits: { listed: 3 } });
    for (let count = 0; count < 5; count += 1) under.hub.put(copyRecord());
    const client = await connect(under);
    client.send({ t: 'sub', id: 1, list: 'mine' });
    const ok = await client.next('ok');
    expect(ok.more).toBe(true);
    expect(ok.res).toHaveLength(3);
  });
});

describe('rights of watchers', () => {
  it('sends gone and nothing more after a revocation, and shows a granted operation', async () => {
    const under = await start();
    const record = copyRecord({ owner: 'u2' });
    under.granted.add(record.id);
    under.hub.put(record);
    const named = await connect(under);
    const listing = await connect(under);
    named.send({ t: 'sub', id: 1, ops: [{ op: record.id }] });
    listing.send({ t: 'sub', id: 1, list: 'all' });
    await Promise.all([named.snapshot(record.id), listing.snapshot(record.id)]);
    under.granted.delete(record.id);
    under.hub.reauthorize();
    for (const client of [named, listing]) {
      expect(await client.next('gone')).toEqual({ t: 'gone', op: record.id, why: 'revoked' });
    }
    under.hub.put(moved(record, 100));
    await sleep(80);
    expect([named.latest.get(record.id)?.seq, listing.latest.get(record.id)?.seq]).toEqual([1, 1]);
    under.granted.add(record.id);
    under.hub.reauthorize();
    await listing.snapshot(record.id, ({ seq }) => seq === 2);
  });

  it('checks rights again periodically, and at once for principals of the filter', async () => {
    const under = await start({ limits: { reauthorizeMs: 1500 } });
    const record = copyRecord({ owner: 'u2' });
    under.granted.add(record.id);
    under.hub.put(record);
    const client = await connect(under);
    client.send({ t: 'sub', id: 1, ops: [{ op: record.id }] });
    await client.snapshot(record.id);
    under.granted.delete(record.id);
    under.hub.reauthorize((principal) => (principal as { user: string }).user === 'u2');
    await sleep(50);
    expect(client.messages.some(({ t }) => t === 'gone')).toBe(false);
    await client.next('gone');
  });

  it('sends gone when an operation is deleted', async () => {
    const under = await start();
    const record = copyRecord();
    under.hub.put(record);
    const client = await connect(under);
    client.send({ t: 'sub', id: 1, ops: [{ op: record.id }] });
    await client.snapshot(record.id);
    under.hub.remove(record.id, 'deleted');
    expect(await client.next('gone')).toEqual({ t: 'gone', op: record.id, why: 'deleted' });
  });

  it('freezes the principal, so the host cannot change it later', async () => {
    let given: ReturnType<typeof principalOf> | null = null;
    const seen: unknown[] = [];
    const under = await start({
      authenticate: () => {
        given = principalOf({ user: 'u1', session: 's', purpose: 'watch', origin: '', sessionVersion: 1 });
        return Promise.resolve(given);
      },
      authorize: (principal, _action, { owner }) => {
        seen.push(principal);
        return principal.user === owner;
      },
    });
    const record = copyRecord({ owner: 'u2' });
    under.hub.put(record);
    const client = await connect(under);
    given!.user = 'u2';
    client.send({ t: 'sub', id: 1, ops: [{ op: record.id }], user: 'u2', principal: { user: 'u2' } });
    expect((await client.next('ok')).res).toEqual([{ op: record.id, err: 'not_found' }]);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every(Object.isFrozen)).toBe(true);
  });

  it('refuses an operation when authorize throws, and reports the error', async () => {
    const under = await start({
      authorize: () => {
        throw new Error('rights');
      },
    });
    const record = copyRecord();
    under.hub.put(record);
    const client = await connect(under);
    client.send({ t: 'sub', id: 1, ops: [{ op: record.id }] });
    expect((await client.next('ok')).res).toEqual([{ op: record.id, err: 'not_found' }]);
    expect(new Set(under.errors.splice(0).map(({ stage }) => stage))).toEqual(new Set(['authorize']));
  });
});

describe('sessions of sockets', () => {
  // The limit is 1 s. It usually takes milliseconds, but a busy test machine may delay it.
  const withinMs = 5_000;

  it('closes every socket of an ended session with 4401 at once and sends nothing more', async () => {
    const under = await start();
    const record = copyRecord();
    under.hub.put(record);
    const one = await connect(under, { session: 'a' });
    const other = await connect(under, { session: 'b' });
    for (const client of [one, other]) client.send({ t: 'sub', id: 1, ops: [{ op: record.id }] });
    await Promise.all([one.snapshot(record.id), other.snapshot(record.id)]);
    const startedAtMs = performance.now();
    expect(under.gateway.closeSessions(({ session }) => session === 'a')).toBe(1);
    under.hub.put(moved(record, 100));
    expect(await one.closed).toBe(4401);
    expect(performance.now() - startedAtMs).toBeLessThan(withinMs);
    await other.snapshot(record.id, ({ seq }) => seq === 2);
    expect(one.latest.get(record.id)?.seq).toBe(1);
    expect(under.gateway.connections).toBe(1);
  });

  it('closes a socket whose session ended during its upgrade', async () => {
    const under = await start({
      authenticate: async (_request, ticket) => {
        const claims = await under.tickets.take(ticket ?? '');
        await sleep(100);
        return claims === null ? null : principalOf(claims);
      },
    });
    const ending = listen(dial(under, { session: 'a' }));
    const staying = listen(dial(under, { session: 'b' }));
    await sleep(50);
    expect(under.gateway.closeSessions(({ session }) => session === 'a')).toBe(0);
    expect(await ending.closed).toBe(4401);
    await staying.next('hello');
    const later = await connect(under, { session: 'a' });
    await sleep(50);
    expect(under.gateway.principals().map(({ session }) => session)).toEqual(['b', 'a']);
    expect([staying, later].map(({ socket }) => socket.readyState)).toEqual([1, 1]);
  });

  it('closes a socket when its session expires', async () => {
    const expiresAtMs = Date.now() + 1_500;
    const under = await start({ user: ({ user, session }) => ({ user, session, expiresAtMs }) });
    const client = await connect(under);
    expect(client.messages[0]).toMatchObject({ exp: expiresAtMs });
    expect(await client.closed).toBe(4401);
    expect(Date.now() - expiresAtMs).toBeGreaterThanOrEqual(0);
    expect(Date.now() - expiresAtMs).toBeLessThan(withinMs);
  });

  it('refreshes with a ticket of the same session but not of another one', async () => {
    let expiresAtMs = Date.now() + 2500;
    const under = await start({ user: ({ user, session }) => ({ user, session, expiresAtMs }) });
    const client = await connect(under, { session: 'a' });
    expiresAtMs = Date.now() + 60_000;
    client.send({ t: 'refresh', id: 1, ticket: under.ticket({ session: 'b' }) });
    expect(await client.next('err')).toEqual({
      t: 'err',
      id: 1,
      code: 'ticket_refused',
      retry: false,
      ms: 0,
    });
    client.send({ t: 'refresh', id: 2, ticket: under.ticket({ session: 'a' }) });
    expect(await client.next('ok')).toEqual({ t: 'ok', id: 2, exp: expiresAtMs });
    await sleep(3100);
    expect(under.gateway.connections).toBe(1);
  });

  it('sends bye with a different wait to each socket at shutdown, and refuses new ones', async () => {
    const under = await start();
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect(under)));
    const ended = under.gateway.shutdown({ reconnectAfterMs: 2000 });
    const byes = await Promise.all(clients.map((client) => client.next('bye')));
    for (const bye of byes) expect(bye).toMatchObject({ code: 4503 });
    expect(new Set(byes.map(({ ms }) => ms)).size).toBeGreaterThan(4);
    expect(Math.min(...byes.map(({ ms }) => ms))).toBeGreaterThanOrEqual(2000);
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(clients.map(() => 4503));
    await ended;
    expect(under.gateway.connections).toBe(0);
  });
});

function snapshotOf(record: ReturnType<typeof copyRecord>): Snapshot {
  const measured = {
    rate: null,
    etaMs: null,
    etaAbsence: 'not_running',
    sinceProgressMs: 0,
    stalled: false,
  } as const;
  return { ...record, ...measured, epoch: 'before', seq: 7, at: '2026-01-02T03:05:00.000Z' };
}
