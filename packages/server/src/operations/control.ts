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
export async function cancel(engine: Engine, scheduler: Scheduler, order: ControlRequest): Promise<Snapshot> {
  const { live, principal } = order;
  // Not in its turn: what was made may just be taken back, from a disk that does not answer.
  if (live.record.state === 'cancelling') return currentSnapshot(engine, live);
  const snapshot = await live.exclusive(async () => {
    const { state } = live.record;
    if (state === 'cancelling' || state === 'cancelled') return currentSnapshot(engine, live);
    assertVerb(live, 'cancel');
    scheduler.withdraw(live);
    const record = withState(currentRecord(live, engine.clock.monotonicMs()), 'cancelling');
    return commit(engine, live, {
      record,
      log: [{ kind: 'state', text: `cancelling: requested by ${auditName(principal)}` }],
      statements: [audit(principal, 'operation.cancel', `operation:${live.id}`)],
    });
  });
  stopWork(engine, live);
  return snapshot;
}

/** Carries a durable `cancelling` out: by the work itself, or here when nothing runs. */
export function stopWork(engine: Engine, live: ActiveOperation): void {
  if (live.work) {
    live.work.cancel();
    return;
  }
  live
    .exclusive(async () => {
      if (live.work === null && live.record.state === 'cancelling') await endCancelled(engine, live);
      releaseSlot(engine, live);
    })
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${live.id}: cancel` }));
}

/** Frees its place. One that waits to be resumed stays paused. */
export async function pause(engine: Engine, scheduler: Scheduler, order: ControlRequest): Promise<Snapshot> {
  const { live, principal } = order;
  return live.exclusive(async () => {
    const stateReason: KnownReason = { code: 'requested' };
    if (live.record.state === 'paused' && !isResuming(live.record)) return currentSnapshot(engine, live);
    if (live.record.state === 'paused') scheduler.withdraw(live);
    else assertVerb(live, 'pause');
    const now = currentRecord(live, engine.clock.monotonicMs());
    const record = now.state === 'paused' ? { ...now, stateReason } : withState(now, 'paused', stateReason);
    const snapshot = await commit(engine, live, {
      record,
      log: [{ kind: 'state', text: `paused: requested by ${auditName(principal)}` }],
      statements: [audit(principal, 'operation.pause', `operation:${live.id}`)],
    });
    live.work?.pause();
    releaseSlot(engine, live);
    return snapshot;
  });
}

/** Goes on at once when the pool has a place free, else when its turn comes. */
export async function resume(engine: Engine, scheduler: Scheduler, order: ControlRequest): Promise<Snapshot> {
  const { live, principal } = order;
  await live.exclusive(async () => {
    if (live.record.state === 'running' || isResuming(live.record)) return;
    assertVerb(live, 'resume');
    const record = { ...currentRecord(live, engine.clock.monotonicMs()), stateReason: resumingReason };
    await commit(engine, live, {
      record,
      log: [{ kind: 'note', text: `resume requested by ${auditName(principal)}` }],
      statements: [audit(principal, 'operation.resume', `operation:${live.id}`)],
    });
  });
  scheduler.submit(live);
  // When there is a place, the turn was queued behind this by `submit`: its outcome is the answer.
  return live.exclusive(async () => currentSnapshot(engine, live));
}

export interface ControlRequest {
  live: ActiveOperation;
  principal: Principal;
}

function currentSnapshot(engine: Engine, live: ActiveOperation): Snapshot {
  return engine.hub.get(live.id) ?? engine.hub.put(currentRecord(live, engine.clock.monotonicMs()));
}

function assertVerb(live: ActiveOperation, verb: OperationVerb): void {
  if (!mayInState(live.record, verb, capabilitiesOf(live.action))) throw refusal(verb, live.record);
}

/** Why a verb is not possible, in words. */
export function refusal(verb: OperationVerb, record: { state: OperationState; action: string }): ApiError {
  const has = isTerminal(record.state) ? 'has ended as' : 'is';
  const message = `The operation ${has} ${record.state}: it cannot ${verb}.`;
  return new ApiError('invalid_state', { message });
}
