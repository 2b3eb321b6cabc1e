import { ApiError } from '@wcc/api';
import type { OperationState, Snapshot } from '@wcc/progress';
import type { OperationVerb } from '@wcc/progress/protocol';
import { isTerminal } from '@wcc/progress';
import { mayInState } from '@wcc/progress/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { audit } from '../access/audit.ts';
import { auditName } from '../access/principal.ts';
import type { Principal } from '../access/principal.ts';
import { commit } from './commit.ts';
import { endCancelled, endFailed } from './end.ts';
import type { Engine } from './engine.ts';
import type { ActiveOperation } from './active-operation.ts';
import { isResuming, currentRecord, resumingReason } from './active-operation.ts';
import type { KnownReason } from './record.ts';
import { withState } from './record.ts';
import { capabilitiesOf } from './permissions.ts';
import { releaseSlot } from './run.ts';
import { toRefusal } from './failure.ts';
import { reconcileWithDisk } from './reconcile.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * Cancels in every state that is not terminal. The request is durable when this resolves; stopping the work and
 * freeing the space follow at once.
 */
export async function cancel(
  engine: Engine,
  scheduler: Scheduler,
  request: ControlRequest,
): Promise<Snapshot> {
  const { operation, principal } = request;
  // Answered outside of `exclusive`, where the clean-up may be waiting for a disk that does not answer.
  if (operation.record.state === 'cancelling') return currentSnapshot(engine, operation);
  const snapshot = await operation.exclusive(async () => {
    const { state } = operation.record;
    if (state === 'cancelling' || state === 'cancelled') return currentSnapshot(engine, operation);
    assertVerb(operation, 'cancel');
    scheduler.withdraw(operation);
    const record = withState(currentRecord(operation, engine.clock.monotonicMs()), 'cancelling');
    return commit(engine, operation, {
      record,
      log: [{ kind: 'state', text: `cancelling: requested by ${auditName(principal)}` }],
      statements: [audit(principal, 'operation.cancel', `operation:${operation.id}`)],
    });
  });
  stopWork(engine, operation);
  return snapshot;
}

/** Carries out a durable `cancelling`: the work stops itself; without work, the operation ends here. */
export function stopWork(engine: Engine, operation: ActiveOperation): void {
  if (operation.work) {
    operation.work.cancel();
    return;
  }
  operation
    .exclusive(async () => {
      if (operation.work === null && operation.record.state === 'cancelling')
        await endCancelled(engine, operation);
      releaseSlot(engine, operation);
    })
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${operation.id}: cancel` }));
}

/** Ends an operation without work as failed, because it has waited for too long. */
export async function failWaiting(
  engine: Engine,
  scheduler: Scheduler,
  { id, reason }: { id: string; reason: ApiError },
): Promise<void> {
  const operation = engine.active.get(id);
  if (operation === undefined) return;
  await operation.exclusive(async () => {
    const { state } = operation.record;
    const isWaiting = state === 'queued' || state === 'interrupted';
    if (!isWaiting || operation.work !== null || operation.hasSlot) return;
    scheduler.withdraw(operation);
    await endFailed(engine, operation, reason);
  });
}

/** Pauses the work and releases its slot. An operation that waits to be resumed stays paused. */
export async function pause(
  engine: Engine,
  scheduler: Scheduler,
  request: ControlRequest,
): Promise<Snapshot> {
  const { operation, principal } = request;
  return operation.exclusive(async () => {
    const stateReason: KnownReason = { code: 'requested' };
    if (operation.record.state === 'paused' && !isResuming(operation.record))
      return currentSnapshot(engine, operation);
    if (operation.record.state === 'paused') scheduler.withdraw(operation);
    else assertVerb(operation, 'pause');
    const now = currentRecord(operation, engine.clock.monotonicMs());
    const record = now.state === 'paused' ? { ...now, stateReason } : withState(now, 'paused', stateReason);
    const snapshot = await commit(engine, operation, {
      record,
      log: [{ kind: 'state', text: `paused: requested by ${auditName(principal)}` }],
      statements: [audit(principal, 'operation.pause', `operation:${operation.id}`)],
    });
    operation.work?.pause();
    releaseSlot(engine, operation);
    return snapshot;
  });
}

/** Resumes at once if the pool has a free slot; otherwise queues the operation. */
export async function resume(
  engine: Engine,
  scheduler: Scheduler,
  request: ControlRequest,
): Promise<Snapshot> {
  const { operation, principal } = request;
  await operation.exclusive(async () => {
    if (operation.record.state === 'running' || isResuming(operation.record)) return;
    assertVerb(operation, 'resume');
    const isInterrupted = operation.record.state === 'interrupted';
    if (isInterrupted && !engine.isPoolReady(operation.input.poolId)) throw new ApiError('pool_unavailable');
    const record = { ...currentRecord(operation, engine.clock.monotonicMs()), stateReason: resumingReason };
    await commit(engine, operation, {
      record,
      log: [{ kind: 'note', text: `resume requested by ${auditName(principal)}` }],
      statements: [audit(principal, 'operation.resume', `operation:${operation.id}`)],
    });
    // The disk may have the result of its earlier run.
    if (isInterrupted)
      await reconcileWithDisk(engine, operation).catch((error: unknown) => {
        throw toRefusal(error);
      });
  });
  if (!engine.active.has(operation.id)) return currentSnapshot(engine, operation);
  scheduler.submit(operation);
  // If a slot is free, the start that `submit` queued runs first, and the snapshot shows its outcome.
  return operation.exclusive(async () => currentSnapshot(engine, operation));
}

/** How long a stop waits for checkpoints: a kernel call cannot be interrupted. */
const stopTimeoutMs = 9_000;

/** Interrupts all work, and waits until its checkpoints and records are durable. */
export async function stopAll(engine: Engine): Promise<void> {
  engine.isStopping = true;
  const working = [...engine.active.values()].filter(
    (operation) => operation.work !== null || operation.hasSlot,
  );
  for (const { work } of working) work?.interrupt();
  const stopped = Promise.all(
    working.map(async (operation) => {
      // Work that is being started exists once its turn is recorded.
      await operation.exclusive(async () => operation.work?.interrupt());
      await operation.work?.done.catch(() => {});
      await operation.exclusive(async () => {});
    }),
  );
  await Promise.race([stopped, sleep(stopTimeoutMs, undefined, { ref: false })]);
}

export interface ControlRequest {
  operation: ActiveOperation;
  principal: Principal;
}

function currentSnapshot(engine: Engine, operation: ActiveOperation): Snapshot {
  return engine.hub.get(operation.id) ?? engine.hub.put(currentRecord(operation, engine.clock.monotonicMs()));
}

function assertVerb(operation: ActiveOperation, verb: OperationVerb): void {
  if (!mayInState(operation.record, verb, capabilitiesOf(operation.action)))
    throw refusal(verb, operation.record);
}

/** Why a verb is not possible. */
export function refusal(verb: OperationVerb, record: { state: OperationState; action: string }): ApiError {
  const { state } = record;
  const ended = state === 'cancelled' ? 'was already' : 'has already';
  const message = `Cannot ${verb}: the operation ${isTerminal(state) ? ended : 'is'} ${state}.`;
  return new ApiError('invalid_state', { message });
}
