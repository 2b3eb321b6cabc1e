import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';

const dayMs = 24 * 3_600_000;
/** How long ended operations are kept. */
export const keptForMs: number = 90 * dayMs;
/** How long an idempotency key is kept. */
export const keysKeptForMs: number = dayMs;
/** The first purge comes after the start, so that no request waits for it. */
const firstAfterMs = 10_000;
const everyMs = 6 * 3_600_000;
/** The database thread serves one request at a time, so a batch is short. */
const rowsPerBatch = 100;
const shortestPauseMs = 20;

/** Deletes old operations and idempotency keys regularly. @returns a function that stops it */
export function startPurge(engine: Engine): () => void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async (): Promise<void> => {
    for (let waitMs = firstAfterMs; !signal.aborted; waitMs = everyMs) {
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
      await purge(engine, signal).catch((error: unknown) =>
        engine.onError(error, { stage: 'operations: purge' }),
      );
    }
  };
  void run();
  return () => stopping.abort();
}

/**
 * Deletes what is too old, in small batches, each one durable. A purge that is killed continues with its next run. Ages
 * are ages by the retention clock.
 */
export async function purge(
  { store, retention, needed }: Pick<Engine, 'store' | 'retention' | 'needed'>,
  signal: AbortSignal,
): Promise<void> {
  const before = (ageMs: number): string => new Date(retention.nowMs() - ageMs).toISOString();
  await inBatches(signal, async () => {
    const old = store.db
      .selectFrom('idempotencyKeys')
      .select('scope')
      .where('createdAt', '<', before(keysKeptForMs))
      .limit(rowsPerBatch);
    const query = store.db.deleteFrom('idempotencyKeys').where('scope', 'in', old);
    const [result] = await store.write([{ query }]);
    return result?.changes === rowsPerBatch;
  });
  const keep = new Set((await Promise.all(needed.map((source) => source()))).flat());
  let last = { endedAt: '', id: '' };
  await inBatches(signal, async () => {
    const { endedAt, id } = last;
    const rows = await store.db
      .selectFrom('operations')
      .select(['id', 'endedAt'])
      .where('endedAt', '<', before(keptForMs))
      .where((row) => row(row.refTuple('endedAt', 'id'), '>', row.tuple(endedAt, id)))
      .orderBy('endedAt')
      .orderBy('id')
      .limit(rowsPerBatch)
      .execute();
    const ids = rows.map((row) => row.id).filter((one) => !keep.has(one));
    if (ids.length > 0)
      await store.write([{ query: store.db.deleteFrom('operations').where('id', 'in', ids) }]);
    const end = rows.at(-1);
    if (end !== undefined) last = { endedAt: end.endedAt ?? '', id: end.id };
    return rows.length === rowsPerBatch;
  });
}

/** Repeats a step until it returns false. At least half of the time belongs to other users of the database. */
async function inBatches(signal: AbortSignal, step: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const startedAtMs = performance.now();
    if (signal.aborted || !(await step())) return;
    const pauseMs = Math.max(performance.now() - startedAtMs, shortestPauseMs);
    await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
  }
}
