import type { OperationRecord } from '@wcc/progress/server';
import type { Engine } from './engine.ts';
import { elapsedMsOf } from './active-operation.ts';

/** What a kill may take from the running time of an operation: as much as from its bytes, one checkpoint. */
const notedEveryMs = 5_000;

/**
 * Notes in the store how long each operation has run: commits are minutes apart, and a clock that counts from
 * the last one would say of a copy that was killed after an hour that it took a second. @returns stops it
 */
export function noteRunningTimes(engine: Engine): () => void {
  let hasFailed = false;
  const note = (): void => {
    writeRunningTimes(engine).then(
      () => (hasFailed = false),
      (error: unknown) => {
        // A store that fails is told by all who need it; of this, once is enough.
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

/** The record with the time that was noted since its last commit: its current phase ran for that time. */
export function withRunningTime(record: OperationRecord, notedMs: number): OperationRecord {
  const missingMs = notedMs - record.elapsedMs;
  if (missingMs <= 0) return record;
  const phases = record.phases.map((phase, index) =>
    index === record.phaseIndex ? { ...phase, elapsedMs: (phase.elapsedMs ?? 0) + missingMs } : phase,
  );
  return { ...record, phases, elapsedMs: notedMs };
}
