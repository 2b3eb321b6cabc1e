import { startCopy } from '@wcc/copy';
import { rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OperationRecord } from '../../operations/record.ts';
import { admin, makePrincipal, MiB, sha256, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainOptions, DomainUnderTest } from '../images.testkit.ts';

let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);
const slow = { bytesPerSecond: 2 * MiB };

beforeEach(async () => {
  domain = await startDomain({ maxRunningPerPool: 1 });
  await writeRandom(path('a.raw'), 8 * MiB);
  await domain.rescan();
});
afterEach(async () => {
  await domain.close();
});

async function restart(options: DomainOptions = {}): Promise<void> {
  await domain.stop();
  domain = await startDomain({ maxRunningPerPool: 1, ...options, home: domain.home });
}

function rowOf(id: string): Promise<{ record: string; elapsedMs: number }> {
  const rows = domain.store.db.selectFrom('operations').select(['record', 'elapsedMs']);
  return rows.where('id', '=', id).executeTakeFirstOrThrow();
}

/** The record of its last commit. */
const recordOf = async (id: string): Promise<OperationRecord> =>
  JSON.parse((await rowOf(id)).record) as OperationRecord;

const notedMs = async (id: string): Promise<number> => (await rowOf(id)).elapsedMs;

/** Brings the store into the state that a process killed in this state leaves. */
async function pretendState(id: string, changes: Partial<OperationRecord>): Promise<void> {
  const { db } = domain.store;
  const record = { ...(await recordOf(id)), ...changes };
  const query = db
    .updateTable('operations')
    .set({ state: record.state, record: JSON.stringify(record) })
    .where('id', '=', id);
  await domain.store.write([{ query, expectRows: 1 }]);
}

async function acceptQueued(target: string): Promise<{ id: string; blocker: string }> {
  const { id: blocker } = await domain.copy('a.raw', `${target}.blocker`, slow);
  await domain.wait(blocker, 'running');
  const { id } = await domain.copy('a.raw', target);
  return { id, blocker };
}

describe('a copy after a stop of the server', () => {
  it('a running copy resumes at its checkpoint in a new epoch', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', slow);
    await expect
      .poll(async () => numbersOf(id), { timeout: 20_000 })
      .toSatisfy((n: Numbers) => n.done > 3 * MiB);
    const before = await domain.operations.get(id, admin);
    await domain.stop();
    const { done } = await numbersOf(id);
    expect((await domain.operations.snapshot(id))?.state).toBe('interrupted');
    await restart();
    const after = await domain.wait(id, 'running');
    expect(after.epoch).not.toBe(before.epoch);
    expect((await numbersOf(id)).done).toBeGreaterThanOrEqual(done);
    await domain.wait(id, 'succeeded');
    expect(await sha256(path('b.raw'))).toBe(await sha256(path('a.raw')));
    const log = await domain.operations.log(id, admin);
    expect(log.some(({ kind, text }) => kind === 'note' && text.startsWith('The copy resumes at '))).toBe(
      true,
    );
    expect(await domain.litter()).toEqual([]);
  });

  it('a paused copy stays paused after a restart, and can be resumed', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', slow);
    await domain.wait(id, 'running');
    await domain.operations.pause(id, admin);
    await restart();
    expect(await domain.operations.get(id, admin)).toMatchObject({
      state: 'paused',
      stateReason: { code: 'requested' },
    });
    await domain.operations.resume(id, admin);
    await domain.wait(id, 'succeeded');
    expect(await sha256(path('b.raw'))).toBe(await sha256(path('a.raw')));
  });

  it('queued copies keep their order after a restart, and start after the copies that ran', async () => {
    const { id: first, blocker } = await acceptQueued('b1');
    const second = await domain.copy('a.raw', 'b2');
    await restart();
    for (const id of [blocker, first, second.id]) await domain.wait(id, 'succeeded');
    const rows = await domain.store.db.selectFrom('operations').select('id').orderBy('startedAt').execute();
    expect(rows.map(({ id }) => id)).toEqual([blocker, first, second.id]);
  });

  it('no operation starts or is accepted while the server stops', async () => {
    const { id } = await acceptQueued('b.raw');
    await domain.operations.stop();
    expect((await domain.operations.snapshot(id))?.state).toBe('queued');
    await expect(domain.copy('a.raw', 'c.raw')).rejects.toMatchObject({ code: 'shutting_down' });
  });
});

interface Numbers {
  done: number;
}

async function numbersOf(id: string): Promise<Numbers> {
  const snapshot = await domain.operations.snapshot(id);
  const phase = snapshot?.phases[snapshot.phaseIndex];
  return { done: phase && 'done' in phase ? phase.done : 0 };
}

describe('a copy after a kill of the server', () => {
  it('the running time of a killed copy includes the time stored while it ran', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: MiB });
    await expect.poll(() => notedMs(id), { timeout: 20_000 }).toBeGreaterThan(0);
    const [record, noted] = [await recordOf(id), await notedMs(id)];
    expect(noted).toBeGreaterThan(record.elapsedMs);
    await domain.operations.stop();
    await pretendState(id, record);
    await restart();
    const { elapsedMs: taken } = await domain.operations.get(id, admin);
    expect(taken).toBeGreaterThanOrEqual(noted);
    const { elapsedMs, phases } = await domain.wait(id, 'succeeded');
    expect(elapsedMs).toBeGreaterThanOrEqual(taken);
    const transferMs = phases.find(({ name }) => name === 'transfer')?.elapsedMs ?? 0;
    expect(transferMs).toBeGreaterThanOrEqual(noted - record.elapsedMs);
    expect(transferMs).toBeLessThanOrEqual(elapsedMs);
  });

  it('an acknowledged cancel is carried out after a kill', async () => {
    const { id } = await acceptQueued('b.raw');
    await domain.operations.stop();
    await pretendState(id, { state: 'cancelling' });
    await writeFile(path(`.wcc-${id}.partial`), 'half');
    await restart();
    await domain.wait(id, 'cancelled');
    expect(await domain.litter(id)).toEqual([]);
  });

  it.each(['running', 'interrupted', 'paused', 'cancelling'] as const)(
    'a copy killed after it was published while %s succeeds once, with one image',
    async (state) => {
      const { id } = await acceptQueued('b.raw');
      await domain.operations.stop();
      await startCopy(path('a.raw'), path('b.raw'), { id, keepSidecar: true }).done;
      await pretendState(id, { state });
      await restart();
      const ended = await domain.wait(id, 'succeeded');
      const image = await domain.image('b.raw');
      expect(ended.result).toEqual({ kind: 'image', id: image.id });
      expect(ended.warnings.includes('cancel_too_late')).toBe(state === 'cancelling');
      const { items } = await domain.images.list(admin, { limit: 50 });
      expect(items.filter(({ name }) => name === 'b.raw')).toHaveLength(1);
      expect(await domain.litter(id)).toEqual([]);
      await restart();
      const log = await domain.operations.log(id, admin);
      expect(
        log.filter(({ kind, text }) => kind === 'state' && /succeeded|cancelled|failed/.test(text)),
      ).toHaveLength(1);
    },
  );

  it('a source that changed before the restart is copied from zero, with a warning', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', slow);
    await expect
      .poll(async () => numbersOf(id), { timeout: 20_000 })
      .toSatisfy((n: Numbers) => n.done > 2 * MiB);
    await domain.stop();
    await writeRandom(path('a.raw'), 8 * MiB);
    await restart();
    const ended = await domain.wait(id, 'succeeded');
    expect(ended.warnings).toEqual(['restarted_source_changed']);
    expect(await sha256(path('b.raw'))).toBe(await sha256(path('a.raw')));
    expect(domain.errors).toEqual([]);
  });

  it('a source that vanished before the restart fails the copy', async () => {
    const { id } = await acceptQueued('b.raw');
    await domain.operations.stop();
    await pretendState(id, { state: 'running' });
    await unlink(path('a.raw'));
    await restart();
    const ended = await domain.wait(id, 'failed');
    expect(ended.error).toMatchObject({ code: 'source_vanished' });
    await expect.poll(() => domain.litter(), { timeout: 20_000 }).toEqual([]);
  });

  it('a restart deletes partials of ended operations and shows orphans, which only an admin may delete', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw');
    await domain.wait(id, 'succeeded');
    await writeFile(path(`.wcc-${id}.partial`), 'litter');
    const stranger = 'z'.repeat(26);
    await writeFile(path(`.wcc-${stranger}.partial`), 'of another installation');
    await restart();
    expect(await domain.litter(id)).toEqual([]);
    const { images } = domain;
    const { items } = await images.orphans(admin, domain.poolId());
    expect(items).toMatchObject([{ id: stranger, hasCheckpoint: false }]);
    await expect(images.removeOrphan(admin, domain.poolId(), id)).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(images.removeOrphan(makePrincipal('ann'), domain.poolId(), stranger)).rejects.toMatchObject({
      code: 'forbidden',
    });
    await images.removeOrphan(admin, domain.poolId(), stranger);
    expect(await domain.litter()).toEqual([]);
  });

  it('operations of an unavailable pool wait, and resume when the pool is available again', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', slow);
    await domain.wait(id, 'running');
    await domain.stop();
    await rename(path('.wcc-pool'), path('.marker'));
    domain = await startDomain({ home: domain.home });
    expect(await domain.operations.get(id, admin)).toMatchObject({ state: 'interrupted' });
    await rename(path('.marker'), path('.wcc-pool'));
    await domain.rescan();
    await domain.wait(id, 'succeeded');
    expect(await sha256(path('b.raw'))).toBe(await sha256(path('a.raw')));
  });
});
