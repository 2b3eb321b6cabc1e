import type { Engine } from './engine.ts';
import { elapsedMsOf } from './active-operation.ts';
import type { OperationRecord } from './record.ts';

/** Maximum running time that a crash can lose. Equals the interval of checkpoints. */
const storeIntervalMs = 5_000;

/**
 * Stores the running time of each operation regularly, because commits are minutes apart. Without it, a copy that a
 * crash ends after an hour could show a running time of a second. @returns a function that stops it
 */
export function storeRunningTimes(engine: Engine): () => void {
  let hasFailed = false;
  const note = (): void => {
    writeRunningTimes(engine).then(
      () => (hasFailed = false),
      (error: unknown) => {
        // Reports a failing store only once, because every other user of the store reports it too.
        if (!hasFailed) engine.onError(error, { stage: 'operations: running time' });
        hasFailed = true;
      },
    );
  };
  const timer = setInterval(note, storeIntervalMs).unref();
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
