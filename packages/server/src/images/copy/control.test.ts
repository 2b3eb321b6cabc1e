import type { Snapshot } from '@wcc/progress';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { admin, makePrincipal, MiB, sha256, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);
const slow = { bytesPerSecond: 4 * MiB };

beforeEach(async () => {
  domain = await startDomain({ maxRunningPerPool: 1 });
  await writeRandom(path('a.raw'), 8 * MiB);
  await domain.rescan();
});
afterEach(async () => {
  await domain.close();
  if (domain.errors.length > 0) throw new AggregateError(domain.errors.map(({ error }) => error));
});

async function stateTexts(id: string): Promise<string[]> {
  const log = await domain.operations.log(id, admin);
  return log.filter(({ kind }) => kind === 'state').map(({ text }) => text.replace(/:.*/, ''));
}

describe('cancel', () => {
  it('cancel stops a running copy and releases its space', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', slow);
    await domain.wait(id, 'running');
    const askedAt = performance.now();
    expect((await domain.operations.cancel(id, admin)).state).toBe('cancelling');
    expect(performance.now() - askedAt).toBeLessThan(4_000);
    await domain.wait(id, 'cancelled');
    expect(performance.now() - askedAt).toBeLessThan(15_000);
    expect(await domain.litter()).toEqual([]);
    expect(await stateTexts(id)).toEqual(['queued', 'started', 'cancelling', 'cancelled']);
    await expect(domain.image('b.raw')).rejects.toThrow('there is no image');
  });

  it('cancel ends a queued, a paused and an interrupted copy, and can be repeated', async () => {
    const running = await domain.copy('a.raw', 'b.raw', slow);
    const queued = await domain.copy('a.raw', 'c.raw', slow);
    await domain.operations.cancel(queued.id, admin);
    await domain.operations.cancel(queued.id, admin);
    await domain.wait(queued.id, 'cancelled');
    expect((await domain.operations.cancel(queued.id, admin)).state).toBe('cancelled');
    await domain.wait(running.id, 'running');
    await domain.operations.pause(running.id, admin);
    await domain.operations.cancel(running.id, admin);
    await domain.wait(running.id, 'cancelled');
    expect(await domain.litter()).toEqual([]);
  });

  it('cancel of a succeeded copy is refused', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw');
    await domain.wait(id, 'succeeded');
    await expect(domain.operations.cancel(id, admin)).rejects.toMatchObject({ code: 'invalid_state' });
  });

  it('a cancel at any moment ends the copy once: cancelled without a file, or succeeded with its image', async () => {
    for (let round = 0; round < 25; round += 1) {
      const name = `race-${round}.raw`;
      const { id } = await domain.copy('a.raw', name);
      // The cancels arrive from before its start to after its end: a copy without a limit takes about 30 ms.
      await sleep(round * 2);
      const cancelled = await domain.operations.cancel(id, admin).catch((error: unknown) => error);
      const ended = await domain.wait(id, 'cancelled', 'succeeded');
      const ends = (await stateTexts(id)).filter((text) => text === 'cancelled' || text === 'succeeded');
      expect(ends).toEqual([ended.state]);
      if (ended.state === 'cancelled') {
        await expect(domain.image(name)).rejects.toThrow('there is no image');
      } else {
        expect((await domain.image(name)).id).toBe(ended.result?.id);
        const isReported = ended.warnings.includes('cancel_too_late');
        const isRefused = (cancelled as { code?: string }).code === 'invalid_state';
        expect(isReported || isRefused).toBe(true);
      }
    }
    expect(await domain.litter()).toEqual([]);
    const { db } = domain.store;
    expect(await db.selectFrom('nameReservations').selectAll().execute()).toEqual([]);
    expect(await db.selectFrom('spaceReservations').selectAll().execute()).toEqual([]);
  });
});

describe('pause and resume', () => {
  it('pause stops the bytes and releases the slot; resume continues at the same offset', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', slow);
    await expect.poll(async () => (await doneOf(id)) > MiB, { timeout: 20_000 }).toBe(true);
    const paused = await domain.operations.pause(id, admin);
    expect(paused).toMatchObject({ state: 'paused', stateReason: { code: 'requested' } });
    const other = await domain.copy('a.raw', 'c.raw');
    await domain.wait(other.id, 'succeeded');
    // The current window is completed first.
    await sleep(400);
    const done = await doneOf(id);
    await sleep(700);
    expect(await doneOf(id)).toBe(done);
    expect((await domain.operations.resume(id, admin)).state).toBe('running');
    await domain.wait(id, 'succeeded');
    expect(await sha256(path('b.raw'))).toBe(await sha256(path('a.raw')));
    expect(await stateTexts(id)).toEqual([
      'queued',
      'started',
      'paused',
      'resumed (was paused)',
      'succeeded',
    ]);
  });

  it('a copy resumed while all slots are in use waits for a slot, and can be paused again', async () => {
    const first = await domain.copy('a.raw', 'b.raw', slow);
    await domain.wait(first.id, 'running');
    await domain.operations.pause(first.id, admin);
    const second = await domain.copy('a.raw', 'c.raw', slow);
    await domain.wait(second.id, 'running');
    expect(await domain.operations.resume(first.id, admin)).toMatchObject({
      state: 'paused',
      stateReason: { code: 'resuming' },
    });
    expect(await domain.operations.pause(first.id, admin)).toMatchObject({
      stateReason: { code: 'requested' },
    });
    await domain.operations.resume(first.id, admin);
    await domain.operations.cancel(second.id, admin);
    await domain.wait(first.id, 'running');
    await domain.wait(first.id, 'succeeded');
  });

  it('pause and resume are refused in states that do not allow them', async () => {
    const first = await domain.copy('a.raw', 'b.raw', slow);
    const queued = await domain.copy('a.raw', 'c.raw');
    await expect(domain.operations.pause(queued.id, admin)).rejects.toMatchObject({ code: 'invalid_state' });
    await domain.wait(first.id, 'running');
    expect((await domain.operations.resume(first.id, admin)).state).toBe('running');
    await domain.operations.cancel(queued.id, admin);
    await domain.operations.cancel(first.id, admin);
    await domain.wait(first.id, 'cancelled');
    await domain.wait(queued.id, 'cancelled');
  });
});

async function doneOf(id: string): Promise<number> {
  const snapshot = await domain.operations.snapshot(id);
  const phase = snapshot?.phases[snapshot.phaseIndex];
  return phase && 'done' in phase ? phase.done : 0;
}

describe('the queue of a pool', () => {
  it('the queue limits running copies, shows positions, and is fair between users', async () => {
    const [ann, bob] = [makePrincipal('ann'), makePrincipal('bob')];
    const names = ['a1', 'a2', 'a3'];
    // A slower copy would let those of other owners pass.
    await writeRandom(path('large.raw'), 128 * MiB);
    await domain.rescan();
    const first = await domain.copy('large.raw', 'a0', { bytesPerSecond: 16 * MiB, principal: ann });
    const ofAnn: Snapshot[] = [];
    for (const name of names) ofAnn.push(await domain.copy('a.raw', name, { principal: ann }));
    const ofBob = await domain.copy('a.raw', 'b1', { principal: bob });
    await domain.wait(first.id, 'running');
    const places = async (): Promise<(number | null | undefined)[]> =>
      Promise.all(
        [...ofAnn, ofBob].map(async ({ id }) => (await domain.operations.snapshot(id))?.queuePosition),
      );
    expect(await places()).toEqual([2, 3, 4, 1]);
    expect(await domain.operations.snapshot(ofBob.id)).toMatchObject({
      state: 'queued',
      stateReason: { code: 'waiting_for_place', params: { limit: 1 } },
    });
    await domain.operations.cancel(first.id, ann);
    for (const { id } of [...ofAnn, ofBob]) await domain.wait(id, 'succeeded');
    const { items } = await domain.operations.list({ limit: 10 }, admin);
    const started = items
      .filter(({ state }) => state === 'succeeded')
      .toSorted((one, two) => (one.startedAt ?? '').localeCompare(two.startedAt ?? ''));
    expect(started.map(({ target }) => target?.name)).toEqual(['b1', 'a1', 'a2', 'a3']);
  });
});

describe('rights on operations', () => {
  it('another user neither sees nor controls an operation; an admin does both', async () => {
    const [ann, bob] = [makePrincipal('ann'), makePrincipal('bob')];
    const { id } = await domain.copy('a.raw', 'b.raw', { ...slow, principal: ann });
    const { operations } = domain;
    const attempts = [
      () => operations.get(id, bob),
      () => operations.log(id, bob),
      () => operations.cancel(id, bob),
      () => operations.pause(id, bob),
      () => operations.resume(id, bob),
      () => operations.retry(id, bob, null),
      () => operations.get('a'.repeat(26), bob),
      () => operations.get('no id at all', bob),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'not_found' });
    expect((await operations.list({ limit: 10 }, bob)).items).toEqual([]);
    expect((await operations.list({ limit: 10 }, ann)).items).toHaveLength(1);
    await operations.cancel(id, admin);
    await domain.wait(id, 'cancelled');
  });

  it('the list of operations has pages and filters', async () => {
    const made = [];
    for (const name of ['b1', 'b2', 'b3', 'b4', 'b5']) made.push((await domain.copy('a.raw', name)).id);
    for (const id of made) await domain.wait(id, 'succeeded');
    const { operations } = domain;
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await operations.list({ limit: 2, cursor }, admin);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen.toSorted()).toEqual(made.toSorted());
    const count = async (filter: object): Promise<number> =>
      (await operations.list({ limit: 10, ...filter }, admin)).items.length;
    expect(await count({ state: 'succeeded,failed' })).toBe(5);
    expect(await count({ state: 'failed' })).toBe(0);
    expect(await count({ action: 'copy_vm_image', owner: admin.userId, subject: 'image:100' })).toBe(5);
    expect(await count({ subject: 'image:101' })).toBe(0);
    expect(await count({ since: '2100-01-01T00:00:00Z' })).toBe(0);
    expect(await count({ until: '2100-01-01T00:00:00Z' })).toBe(5);
    for (const filter of [{ state: 'x' }, { subject: 'x' }, { since: 'x' }, { cursor: 'x' }]) {
      await expect(count(filter)).rejects.toMatchObject({ code: 'invalid_input' });
    }
  });
});
