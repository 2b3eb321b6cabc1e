import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import type { OperationView } from './action.ts';
import type { Work } from './work.ts';
import { endFailed, endIfPublished } from './end.ts';
import { toOperationError } from './failure.ts';
import type { Engine } from './engine.ts';
import { currentRecord } from './active-operation.ts';
import type { ActiveOperation } from './active-operation.ts';
import { readRow, storedSnapshot } from './rows.ts';
import { run } from './run.ts';

/** An operation that its client drives, and that has not ended. */
export interface DrivenOperation extends OperationView {
  /** Null while it waits for its client. */
  readonly work: Work | null;
}

/**
 * Operations for which a client sends the data. Does not check rights.
 *
 * `queued | interrupted → running` when the client sends, `running → interrupted` (`waiting_for_client`) when the
 * work ends because the client is silent. All other transitions are the same as for every operation.
 */
export interface ClientDriven {
  /** The operations of this action that have not ended. */
  all(action: string): readonly DrivenOperation[];
  /** Null if it is unknown, of another action, or has ended. */
  find(action: string, id: string): DrivenOperation | null;
  /**
   * Starts its work, unless that runs already.
   * @throws ApiError `invalid_state` if it is paused, cancelled or has ended, `shutting_down`
   */
  start(id: string): Promise<void>;
  /**
   * Waits until the end of its work is recorded, then returns the snapshot. With `waits: false`, returns the current
   * snapshot.
   */
  whenSettled(id: string, options?: { waits: boolean }): Promise<Snapshot>;
  /** Fails an operation that waits for its client. Does nothing while it runs or is being cancelled. */
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
      // Runs after the end that `done` has started.
      await operation?.exclusive(async () => {});
      return snapshotOf(engine, id);
    },
    async fail(id, error) {
      const operation = engine.active.get(id);
      await operation?.exclusive(async () => {
        const isWaiting = ['queued', 'paused', 'interrupted'].includes(operation.record.state);
        if (operation.work !== null || !isWaiting) return;
        if (await endIfPublished(engine, operation, toOperationError(error))) return;
        await endFailed(engine, operation, error);
      });
    },
  };
}

function notStarted(operation: ActiveOperation | undefined): ApiError {
  const { state = 'unknown', stateReason = null } = operation?.record ?? {};
  const why = stateReason === null ? state : `${state} (${stateReason.code})`;
  return new ApiError('invalid_state', { message: `The operation is ${why}: it accepts no bytes.` });
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
