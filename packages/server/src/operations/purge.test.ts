import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestRetention } from '../storage/retention-clock.testkit.ts';
import type { Store } from '../storage/store.ts';
import { openStore } from '../storage/store.ts';
import { keptForMs, keysKeptForMs, purge } from './purge.ts';

const retention = createTestRetention();
const minuteMs = 60_000;

let directory: string;
let store: Store;
/** Changes of each batch, e.g. deleted operations. */
let batches: number[];
let counted: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-purge-'));
  store = await openStore(join(directory, 'wcc.sqlite'), {
    onError: (error) => {
      throw error;
    },
  });
  batches = [];
  counted = {
    ...store,
    async write(batch) {
      const results = await store.write(batch);
      batches.push(results.reduce((sum, { changes }) => sum + changes, 0));
      return results;
    },
  };
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

/** Inserts operations that ended this long ago, each with a line of its log. */
async function insertEnded(prefix: string, count: number, ageMs: number): Promise<void> {
  const at = new Date(retention.nowMs() - ageMs).toISOString();
  const ids = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  const row = {
    label: 'copy',
    action: 'copy_vm_image',
    state: 'succeeded',
    ownerId: 'o',
    subjectKind: 'image',
  };
  const rest = { subjectId: null, createdAt: at, startedAt: at, endedAt: at, input: '{}', record: '{}' };
  await store.write(
    ids.flatMap((id) => [
      { query: store.db.insertInto('operations').values({ ...row, ...rest, id } as never) },
      {
        query: store.db
          .insertInto('operationLog')
          .values({ operationId: id, number: 1, at, kind: 'state', text: 'queued' } as never),
      },
    ]),
  );
}

async function count(table: 'operations' | 'operationLog' | 'idempotencyKeys'): Promise<number> {
  const query = store.db.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('count'));
  return (await query.executeTakeFirstOrThrow()).count;
}

function run(signal = new AbortController().signal, needed: readonly string[] = []): Promise<void> {
  return purge({ store: counted, retention, needed: [() => Promise.resolve(needed)] }, signal);
}

describe('D9: the purge of the history', () => {
  it('D9: deletes what is older than 90 days in batches of 100, with the logs', async () => {
    await insertEnded('old', 250, keptForMs + minuteMs);
    await insertEnded('new', 3, keptForMs - minuteMs);
    await run();
    expect(batches.filter((changes) => changes > 0)).toEqual([100, 100, 50]);
    expect([await count('operations'), await count('operationLog')]).toEqual([3, 3]);
  });

  it('D9: a purge that was interrupted keeps its batches, and the next run continues', async () => {
    await insertEnded('old', 250, keptForMs + minuteMs);
    const stopping = new AbortController();
    const write = counted.write.bind(counted);
    counted.write = async (batch) => {
      const results = await write(batch);
      if (batches.filter((changes) => changes > 0).length === 2) stopping.abort();
      return results;
    };
    await run(stopping.signal);
    expect(await count('operations')).toBe(50);
    await run();
    expect(await count('operations')).toBe(0);
  });

  it('D21: an operation whose row is still needed is kept, and younger ones are deleted', async () => {
    await insertEnded('needed', 150, keptForMs + 2 * minuteMs);
    await insertEnded('old', 150, keptForMs + minuteMs);
    const needed = Array.from({ length: 150 }, (_, index) => `needed${index}`);
    await run(undefined, needed);
    expect(await count('operations')).toBe(150);
  });

  it('D9: idempotency keys older than a day are deleted in batches', async () => {
    const rows = Array.from({ length: 150 }, (_, index) => index).map((index) => ({
      scope: `scope${index}`,
      bodyHash: '',
      operationId: '',
      createdAt: new Date(
        retention.nowMs() - keysKeptForMs + (index < 130 ? -1 : 1) * minuteMs,
      ).toISOString(),
    }));
    await store.write([{ query: store.db.insertInto('idempotencyKeys').values(rows) }]);
    await run();
    expect(await count('idempotencyKeys')).toBe(20);
    expect(batches.slice(0, 2)).toEqual([100, 30]);
  });
});
