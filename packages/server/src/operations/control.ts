import { ApiError } from '@wcc/api';
import type { OperationState, OperationVerb, Snapshot } from '@wcc/progress';
import { isTerminal, mayInState } from '@wcc/progress';
import { audit } from '../access/audit.ts';
import { auditName } from '../access/principal.ts';
import type { Principal } from '../access/principal.ts';
import { commit } from './commit.ts';
import { endCancelled } from './end.ts';
import type { Engine } from './engine.ts';
import type { ActiveOperation } from './active-operation.ts';
import { isResuming, currentRecord, resumingReason } from './active-operation.ts';
import type { KnownReason } from './record.ts';
import { withState } from './record.ts';
import { capabilitiesOf } from './permissions.ts';
import { releaseSlot } from './run.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * Cancels in every state that is not terminal. The wish is durable when this resolves; stopping the work and
 * giving the space back follow at once.
 */
export async function cancel(
  engine: Engine,
  scheduler: Scheduler,
  request: ControlRequest,
): Promise<Snapshot> {
  const { operation, principal } = request;
  // Not in its turn: what was made may just be taken back, from a disk that does not answer.
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

/** Carries a durable `cancelling` out: by the work itself, or here when nothing runs. */
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

/** Frees its place. One that waits to be resumed stays paused. */
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

/** Goes on at once when the pool has a place free, else when its turn comes. */
export async function resume(
  engine: Engine,
  scheduler: Scheduler,
  request: ControlRequest,
): Promise<Snapshot> {
  const { operation, principal } = request;
  await operation.exclusive(async () => {
    if (operation.record.state === 'running' || isResuming(operation.record)) return;
    assertVerb(operation, 'resume');
    const record = { ...currentRecord(operation, engine.clock.monotonicMs()), stateReason: resumingReason };
    await commit(engine, operation, {
      record,
      log: [{ kind: 'note', text: `resume requested by ${auditName(principal)}` }],
      statements: [audit(principal, 'operation.resume', `operation:${operation.id}`)],
    });
  });
  scheduler.submit(operation);
  // When there is a place, the turn was queued behind this by `submit`: its outcome is the answer.
  return operation.exclusive(async () => currentSnapshot(engine, operation));
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

/** Why a verb is not possible, in words. */
export function refusal(verb: OperationVerb, record: { state: OperationState; action: string }): ApiError {
  const has = isTerminal(record.state) ? 'has ended as' : 'is';
  const message = `The operation ${has} ${record.state}: it cannot ${verb}.`;
  return new ApiError('invalid_state', { message });
}
