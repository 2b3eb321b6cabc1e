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
    [...engine.active.values()].filter((live) => live.action.clientDriven && live.action.name === action);
  return {
    all,
    find(action, id) {
      const live = engine.active.get(id);
      return live?.action.name === action ? live : null;
    },
    async start(id) {
      if (engine.isStopping) throw new ApiError('shutting_down', { retryAfterS: 5 });
      const live = engine.active.get(id);
      if (live) await run(engine, live, ['queued', 'interrupted']);
      if (live?.record.state !== 'running') throw notStarted(live);
    },
    async whenSettled(id, { waits } = { waits: true }) {
      const live = engine.active.get(id);
      if (waits) await live?.work?.done.catch(() => {});
      // Queued behind the end that `done` has set in motion.
      await live?.exclusive(async () => {});
      return snapshotOf(engine, id);
    },
    async fail(id, error) {
      const live = engine.active.get(id);
      await live?.exclusive(async () => {
        const rests = ['queued', 'paused', 'interrupted'].includes(live.record.state);
        if (live.work === null && rests) await endFailed(engine, live, error);
      });
    },
  };
}

function notStarted(live: ActiveOperation | undefined): ApiError {
  const { state = 'unknown', stateReason = null } = live?.record ?? {};
  const why = stateReason === null ? state : `${state} (${stateReason.code})`;
  return new ApiError('invalid_state', { message: `The operation is ${why}: it takes no bytes.` });
}

async function snapshotOf(engine: Engine, id: string): Promise<Snapshot> {
  const live = engine.active.get(id);
  const held = engine.hub.get(id);
  if (held !== undefined && (live === undefined || isTerminal(held.state))) return held;
  if (live) return engine.hub.put(currentRecord(live, engine.clock.monotonicMs()));
  const row = await readRow(engine.store, id);
  if (row === null) throw new ApiError('not_found');
  return storedSnapshot(row);
}
