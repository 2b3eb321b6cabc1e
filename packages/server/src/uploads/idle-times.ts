import type { OperationId } from '@wcc/api';
import type { RetentionClock } from '../storage/retention-clock.ts';
import type { Store, WriteStatement } from '../storage/store.ts';

interface IdleTime {
  sinceMs: number;
  offsetBytes: number;
  isStored: boolean;
}

/**
 * How long uploads have waited for their clients. Only time in which the server ran counts, by the retention clock.
 * It survives a restart.
 */
export interface IdleTimes {
  /** Milliseconds without new bytes. The first call for an offset starts the time. */
  measure(id: string, offsetBytes: number): Promise<number>;
  /** The upload cannot receive bytes now, so its time starts again afterwards. */
  restart(id: string): Promise<void>;
  /** Stores what has changed, and forgets the uploads that are not among `ids`. */
  store(ids: readonly string[]): Promise<void>;
}

export function createIdleTimes(store: Store, retention: RetentionClock): IdleTimes {
  const removed = new Set<string>();
  let times: Promise<Map<string, IdleTime>> | undefined;
  const load = (): Promise<Map<string, IdleTime>> => {
    times ??= readTimes(store);
    // The next call reads again after a failure.
    times.catch(() => (times = undefined));
    return times;
  };
  async function remove(id: string): Promise<void> {
    const known = await load();
    if (known.get(id)?.isStored === true) removed.add(id);
    known.delete(id);
  }
  return {
    async measure(id, offsetBytes) {
      const known = await load();
      const time = known.get(id);
      const nowMs = retention.nowMs();
      if (time?.offsetBytes === offsetBytes) return Math.max(0, nowMs - time.sinceMs);
      known.set(id, { sinceMs: nowMs, offsetBytes, isStored: false });
      return 0;
    },
    restart: remove,
    async store(ids) {
      const known = await load();
      const live = new Set(ids);
      for (const id of known.keys()) if (!live.has(id)) await remove(id);
      const changed = [...known].filter(([, { isStored }]) => !isStored);
      const gone = [...removed];
      if (changed.length === 0 && gone.length === 0) return;
      await store.write([...deleteRows(store, gone), ...changed.map((entry) => writeRow(store, entry))]);
      for (const [, time] of changed) time.isStored = true;
      for (const id of gone) removed.delete(id);
    },
  };
}

async function readTimes(store: Store): Promise<Map<string, IdleTime>> {
  const rows = await store.db.selectFrom('uploadIdleTimes').selectAll().execute();
  return new Map(rows.map(({ operationId, ...time }) => [operationId, { ...time, isStored: true }]));
}

function deleteRows({ db }: Store, ids: readonly string[]): WriteStatement[] {
  if (ids.length === 0) return [];
  return [{ query: db.deleteFrom('uploadIdleTimes').where('operationId', 'in', ids as OperationId[]) }];
}

function writeRow({ db }: Store, [id, { sinceMs, offsetBytes }]: [string, IdleTime]): WriteStatement {
  const row = { operationId: id as OperationId, sinceMs, offsetBytes };
  return {
    query: db
      .insertInto('uploadIdleTimes')
      .values(row)
      .onConflict((conflict) => conflict.column('operationId').doUpdateSet({ sinceMs, offsetBytes })),
  };
}
