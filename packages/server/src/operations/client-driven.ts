import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import type { OperationView } from './action.ts';
import type { Work } from './work.ts';
import { endFailed } from './end.ts';
import type { Engine } from './engine.ts';
import { currentRecord } from './active-operation.ts';
import type { ActiveOperation } from './active-operation.ts';
import { readRow, storedSnapshot } from './rows.ts';
import { run } from './run.ts';

/** A driven operation that has not ended. */
export interface DrivenOperation extends OperationView {
  /** What runs; null while it rests. */
  readonly work: Work | null;
}

/**
 * What the clients of driven operations do with them. Says nothing about rights.
 *
 * `queued | interrupted → running` when its client sends, `running → interrupted` (`waiting_for_client`) when
 * its work ends itself for want of a client; everything else as for all operations.
 */
export interface ClientDriven {
  /** Those of this action that have not ended. */
  all(action: string): readonly DrivenOperation[];
  /** Null when it is unknown, of another kind, or has ended. */
  find(action: string, id: string): DrivenOperation | null;
  /**
   * Lets it run; what runs already stays so.
   * @throws ApiError `invalid_state` when it is paused, cancelled or over, `shutting_down`
   */
  start(id: string): Promise<void>;
  /** Its snapshot, once what its work came to stands in the record; `waits: false`: as it stands now. */
  whenSettled(id: string, options?: { waits: boolean }): Promise<Snapshot>;
  /** Ends one that rests as failed; one that runs or is being cancelled is left alone. */
  fail(id: string, error: ApiError): Promise<void>;
}

export function createClientDriven(engine: Engine): ClientDriven {
  const all = (action: string): ActiveOperation[] =>
    [...engine.active.values()].filter(
      (operation) => operation.action.clientDriven && operation.action.name === action,
    );
  return {
    all,
    find(action, id) {
      const operation = engine.active.get(id);
      return operation?.action.name === action ? operation : null;
    },
    async start(id) {
      if (engine.isStopping) throw new ApiError('shutting_down', { retryAfterS: 5 });
      const operation = engine.active.get(id);
      if (operation) await run(engine, operation, ['queued', 'interrupted']);
      if (operation?.record.state !== 'running') throw notStarted(operation);
    },
    async whenSettled(id, { waits } = { waits: true }) {
      const operation = engine.active.get(id);
      if (waits) await operation?.work?.done.catch(() => {});
      // Queued behind the end that `done` has set in motion.
      await operation?.exclusive(async () => {});
      return snapshotOf(engine, id);
    },
    async fail(id, error) {
      const operation = engine.active.get(id);
      await operation?.exclusive(async () => {
        const rests = ['queued', 'paused', 'interrupted'].includes(operation.record.state);
        if (operation.work === null && rests) await endFailed(engine, operation, error);
      });
    },
  };
}

function notStarted(operation: ActiveOperation | undefined): ApiError {
  const { state = 'unknown', stateReason = null } = operation?.record ?? {};
  const why = stateReason === null ? state : `${state} (${stateReason.code})`;
  return new ApiError('invalid_state', { message: `The operation is ${why}: it takes no bytes.` });
}

async function snapshotOf(engine: Engine, id: string): Promise<Snapshot> {
  const operation = engine.active.get(id);
  const snapshot = engine.hub.get(id);
  if (snapshot !== undefined && (operation === undefined || isTerminal(snapshot.state))) return snapshot;
  if (operation) return engine.hub.put(currentRecord(operation, engine.clock.monotonicMs()));
  const row = await readRow(engine.store, id);
  if (row === null) throw new ApiError('not_found');
  return storedSnapshot(row);
}
