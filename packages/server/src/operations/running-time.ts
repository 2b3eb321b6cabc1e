import type { OperationRecord } from '@wcc/progress/server';
import type { Engine } from './engine.ts';
import { elapsedMsOf } from './active-operation.ts';

/** The running time that a kill may lose: one checkpoint, as for bytes. */
const notedEveryMs = 5_000;

/**
 * Stores the running time of each operation from time to time, because commits are minutes apart: a copy that
 * is killed after an hour must not show a second. @returns stops it
 */
export function storeRunningTimes(engine: Engine): () => void {
  let hasFailed = false;
  const note = (): void => {
    writeRunningTimes(engine).then(
      () => (hasFailed = false),
      (error: unknown) => {
        // Every user of a failing store reports it: here, once is enough.
        if (!hasFailed) engine.onError(error, { stage: 'operations: running time' });
        hasFailed = true;
      },
    );
  };
  const timer = setInterval(note, notedEveryMs).unref();
  return () => clearInterval(timer);
}

async function writeRunningTimes({ store, active: operation, clock }: Engine): Promise<void> {
  const running = [...operation.values()].filter(({ elapsed }) => elapsed.runningSinceMs !== null);
  if (running.length === 0) return;
  const nowMs = clock.monotonicMs();
  await store.write(
    running.map((one) => ({
      query: store.db
        .updateTable('operations')
        .set({ elapsedMs: elapsedMsOf(one, nowMs) })
        .where('id', '=', one.id),
    })),
  );
}

/** Adds the time that was stored since the last commit to the record and its current phase. */
export function withRunningTime(record: OperationRecord, notedMs: number): OperationRecord {
  const missingMs = notedMs - record.elapsedMs;
  if (missingMs <= 0) return record;
  const phases = record.phases.map((phase, index) =>
    index === record.phaseIndex ? { ...phase, elapsedMs: (phase.elapsedMs ?? 0) + missingMs } : phase,
  );
  return { ...record, phases, elapsedMs: notedMs };
}
