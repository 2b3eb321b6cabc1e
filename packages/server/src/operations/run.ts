import type { OperationState } from '@wcc/progress';
import { errorRegistry, isStateReasonCode } from '@wcc/api';
import type { StateReasonCode } from '@wcc/api';
import { lacksInodes } from './action.ts';
import type { SpaceNeed } from './action.ts';
import type { Work, PhaseEvent, WorkResult } from './work.ts';
import { withEarlierTimes } from './work.ts';
import { briefCodes, spaceCodes, toWorkFailure, WorkFailure } from './failure.ts';
import { commit } from './commit.ts';
import type { LogLine } from './commit.ts';
import { endCancelled, endFailed, endIfPublished, endSucceeded } from './end.ts';
import type { Engine } from './engine.ts';
import type { ActiveOperation } from './active-operation.ts';
import { currentRecord } from './active-operation.ts';
import type { OperationRecord } from './record.ts';
import { enterPhase, withState } from './record.ts';
import { learnRefusal, raiseNeed } from './space-need.ts';

/**
 * Starts or resumes an operation; `running` is durable before the first byte moves. Does nothing in another
 * state, e.g. after a cancel while it waited.
 */
export async function run(
  engine: Engine,
  operation: ActiveOperation,
  from: readonly OperationState[] = ['queued', 'paused', 'interrupted'],
): Promise<void> {
  await operation.exclusive(async () => {
    const { state } = operation.record;
    if (engine.isStopping || !from.includes(state)) {
      releaseSlot(engine, operation);
      return;
    }
    const text = state === 'queued' ? 'started' : `resumed (was ${state})`;
    const record = withState(operation.record, 'running');
    try {
      await commit(engine, operation, { record, log: [{ kind: 'state', text }] });
    } catch (error) {
      // Not recorded as running, so it must not run: it waits for the next turn.
      releaseSlot(engine, operation, { pumps: false });
      throw error;
    }
    if (operation.work) operation.work.resume();
    else await startWorkOf(engine, operation);
    if (operation.work === null) releaseSlot(engine, operation);
  });
}

/** Releases the slot, so that the next operation can start. */
export function releaseSlot(
  engine: Engine,
  operation: ActiveOperation,
  { pumps = true }: { pumps?: boolean } = {},
): void {
  if (!operation.hasSlot) return;
  operation.hasSlot = false;
  if (pumps) engine.pump(operation.input.poolId);
}

async function startWorkOf(engine: Engine, operation: ActiveOperation): Promise<void> {
  let work: Work;
  try {
    work = await operation.action.start(operation, {
      onPhase: (event) => recordPhase(engine, operation, event),
      onWarning: (code) => recordWarning(engine, operation, code),
    });
  } catch (error) {
    await handleFailure(engine, operation, toWorkFailure(error));
    return;
  }
  operation.work = withEarlierTimes(work, operation.record.phases);
  operation.stopPolling = engine.hub.pull(operation.id, () =>
    currentRecord(operation, engine.clock.monotonicMs()),
  );
  operation.work.done
    .then(
      (result) => finish(engine, operation, { result }),
      (error: unknown) => finish(engine, operation, { error }),
    )
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${operation.id}: end` }));
}

/** Makes phases durable while the work continues; several short phases share one batch. */
function recordPhase(engine: Engine, operation: ActiveOperation, event: PhaseEvent): void {
  operation.pendingPhases.push(event);
  if (operation.pendingPhases.length > 1) return;
  commitPending(engine, operation);
}

const phaseRetryMs = 1_000;

/** Tries again after a failure of the store, outside of `exclusive`, so that a cancel does not wait for the store. */
function commitPending(engine: Engine, operation: ActiveOperation): void {
  operation
    .exclusive(() => commitPhases(engine, operation))
    .catch((error: unknown) => {
      engine.onError(error, { stage: `operation ${operation.id}: phase` });
      if (engine.isStopping || operation.work === null) return;
      setTimeout(() => commitPending(engine, operation), phaseRetryMs).unref();
    });
}

/** A warning after the end of the work is recorded with that end, or dropped. */
function recordWarning(engine: Engine, operation: ActiveOperation, code: string): void {
  operation
    .exclusive(async () => {
      if (operation.work === null || operation.record.warnings.includes(code)) return;
      const { warnings, ...rest } = currentRecord(operation, engine.clock.monotonicMs());
      const record = { ...rest, warnings: [...warnings, code] };
      await commit(engine, operation, { record, log: [{ kind: 'warning', text: code }] });
    })
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${operation.id}: warning` }));
}

async function commitPhases(engine: Engine, operation: ActiveOperation): Promise<void> {
  // Phases of work that has ended, or that did not start, must not hold back those of the next run.
  if (operation.work === null) operation.pendingPhases = [];
  const events = [...operation.pendingPhases];
  if (events.length === 0) return;
  const change = applyPhases(currentRecord(operation, engine.clock.monotonicMs()), events);
  if (change.log.length > 0) await commit(engine, operation, change);
  // Only now, so that a failed commit loses no phase: the next attempt or the end records it.
  operation.pendingPhases.splice(0, events.length);
  if (operation.pendingPhases.length > 0) await commitPhases(engine, operation);
}

function applyPhases(record: OperationRecord, events: readonly PhaseEvent[]): PhaseChange {
  const change: PhaseChange = { record, log: [] };
  for (const event of events) {
    const before = change.record.phaseIndex;
    change.record = enterPhase(change.record, event);
    if (change.record.phaseIndex !== before) change.log.push({ kind: 'phase', text: event.phase });
    for (const text of event.notes ?? []) change.log.push({ kind: 'note', text });
  }
  return change;
}

interface PhaseChange {
  record: OperationRecord;
  log: { kind: 'phase' | 'note'; text: string }[];
}

type Outcome = { result: WorkResult } | { error: unknown };

/** Records how the work ended. */
async function finish(engine: Engine, operation: ActiveOperation, outcome: Outcome): Promise<void> {
  await operation
    .exclusive(async () => {
      const record = currentRecord(operation, engine.clock.monotonicMs());
      const { log, record: entered } = applyPhases(record, operation.pendingPhases.splice(0));
      operation.record = entered;
      operation.work = null;
      operation.stopPolling();
      if ('result' in outcome) await endOrInterrupt(engine, operation, { result: outcome.result, log });
      else await handleFailure(engine, operation, outcome.error);
    })
    .finally(() => releaseSlot(engine, operation));
}

/** A published file that could not be registered is completed when its pool is reconciled next. */
async function endOrInterrupt(
  engine: Engine,
  operation: ActiveOperation,
  end: { result: WorkResult; log: readonly LogLine[] },
): Promise<void> {
  try {
    await endSucceeded(engine, operation, end);
  } catch (error) {
    await markInterrupted(engine, operation, reasonOfUnknownEnd(toWorkFailure(error)));
    throw error;
  }
}

/** Records a failure of the work: as cancelled, interrupted, paused or failed. */
async function handleFailure(engine: Engine, operation: ActiveOperation, error: unknown): Promise<void> {
  const failure = error instanceof WorkFailure && waits(operation, error) ? error : null;
  // The next look at the pool compares the operation with the disk. A stop of the server has no time for more, and a pool
  // that is gone has no answer.
  const isInterrupted = failure?.code === 'interrupted';
  if (!isInterrupted && (await settle(engine, operation, { error, failure })) !== 'open') return;
  if (operation.record.state === 'cancelling' && !isInterrupted) {
    await endCancelled(engine, operation);
    return;
  }
  if (isInterrupted) await markInterrupted(engine, operation, interruptionOf(engine, operation, failure));
  else if (failure?.code === 'paused') await pauseForFailure(engine, operation, failure);
  else await endFailed(engine, operation, error);
}

/**
 * Compares a failed operation with the disk. `ended`: it was published, so it has succeeded. `waits`: the disk did not
 * answer, so the end is unknown, and the next look at the pool decides. `open`: it was not published, or its next run
 * will see.
 */
async function settle(
  engine: Engine,
  operation: ActiveOperation,
  { error, failure }: { error: unknown; failure: WorkFailure | null },
): Promise<'ended' | 'waits' | 'open'> {
  // A cancel looks at the disk itself.
  if (operation.record.state === 'cancelling') return 'open';
  try {
    return (await endIfPublished(engine, operation, toWorkFailure(error).error)) ? 'ended' : 'open';
  } catch (cause) {
    engine.onError(cause, { stage: `operation ${operation.id}: state of the disk` });
    if (operation.record.state !== 'running') return 'open';
    const unknown = toWorkFailure(cause);
    // This process lacks something for a moment. The operation waits for it, and its next run looks at the disk.
    if (failure !== null && briefCodes.has(unknown.error.code)) return 'open';
    await markInterrupted(engine, operation, reasonOfUnknownEnd(unknown));
    return 'waits';
  }
}

/** The work has ended, but the disk or the store does not show how: the next look at the pool decides. */
function reasonOfUnknownEnd({ error }: WorkFailure): StateReasonCode {
  return error.code === 'pool_unavailable' ? 'pool_unavailable' : 'not_registered';
}

/** A pool may be unmounted for this number of times before the operation fails, although the pool looks available. */
const maxPoolLosses = 3;

/** Whether the operation waits for the end of this failure. Otherwise it fails. */
function waits(operation: ActiveOperation, { code, error }: WorkFailure): boolean {
  const wasStopped = code === 'cancelled' || (code === 'interrupted' && error.code !== 'pool_unavailable');
  if (wasStopped || (code === 'paused' && spaceCodes.has(error.code))) return true;
  if (operation.action.resumesAfterFailure !== true) return false;
  if (error.code !== 'pool_unavailable') return true;
  operation.poolLosses += 1;
  return operation.poolLosses <= maxPoolLosses;
}

/** The reason that the work gave; else its pool is gone, or the server stops. */
function interruptionOf(engine: Engine, operation: ActiveOperation, { error }: WorkFailure): StateReasonCode {
  if (isStateReasonCode(error.code) && error.code !== 'server_stopped') return error.code;
  const isGone = !engine.isStopping && !engine.isPoolReady(operation.input.poolId);
  return isGone ? 'pool_unavailable' : 'server_stopped';
}

/** Paused and cancelling operations keep their state: it means the same after the restart. */
async function markInterrupted(
  engine: Engine,
  operation: ActiveOperation,
  code: StateReasonCode,
): Promise<void> {
  if (operation.record.state !== 'running') return;
  const record = withState(operation.record, 'interrupted', { code });
  await commit(engine, operation, { record, log: [{ kind: 'state', text: `interrupted: ${code}` }] });
}

async function pauseForFailure(
  engine: Engine,
  operation: ActiveOperation,
  failure: WorkFailure,
): Promise<void> {
  // Paused on request before the failure: only a request resumes it.
  if (operation.record.state === 'paused') return;
  const { reason, message } = await reasonOfPause(engine, operation, failure);
  const log = [{ kind: 'state' as const, text: `paused: ${message}` }];
  await commit(engine, operation, {
    record: withState(operation.record, 'paused', reason),
    log,
    insists: true,
  });
}

/** ENOSPC means either: no free blocks, or no free inodes. Only a look at the file system shows which. */
async function reasonOfPause(
  engine: Engine,
  operation: ActiveOperation,
  { error: { code, message } }: WorkFailure,
): Promise<{ reason: { code: StateReasonCode; params: Record<string, number> }; message: string }> {
  const space = spaceCodes.has(code) ? await readSpace(engine, operation) : null;
  if (code === 'no_space' && space !== null && lacksInodes(space) && space.needsBytes <= space.freeBytes)
    return { reason: { code: 'no_inodes', params: {} }, message: errorRegistry.no_inodes.message };
  if (code === 'no_space' && space !== null)
    operation.spaceRefusal = learnRefusal(operation.spaceRefusal, space, engine.clock.monotonicMs());
  const raised = space === null || code === 'quota' ? space : raiseNeed(space, operation.spaceRefusal);
  const params = raised === null ? {} : { needs: raised.needsBytes, free: raised.freeBytes };
  return { reason: { code: isStateReasonCode(code) ? code : 'no_space', params }, message };
}

async function readSpace(engine: Engine, operation: ActiveOperation): Promise<SpaceNeed | null> {
  const space = await operation.action.space?.(operation).catch((error: unknown) => {
    engine.onError(error, { stage: `operation ${operation.id}: free space` });
    return null;
  });
  return space ?? null;
}
