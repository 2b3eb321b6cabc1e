import type { OperationState } from '@wcc/progress';
import { isStateReasonCode } from '@wcc/api';
import type { StateReasonCode } from '@wcc/api';
import type { Work, PhaseEvent, WorkResult } from './work.ts';
import { withEarlierTimes } from './work.ts';
import { toWorkFailure, WorkFailure } from './failure.ts';
import { commit } from './commit.ts';
import type { LogLine } from './commit.ts';
import { endCancelled, endFailed, endSucceeded } from './end.ts';
import type { Engine } from './engine.ts';
import type { ActiveOperation } from './active-operation.ts';
import { currentRecord } from './active-operation.ts';
import type { OperationRecord } from './record.ts';
import { enterPhase, withState } from './record.ts';

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
  operation
    .exclusive(() => commitPhases(engine, operation))
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${operation.id}: phase` }));
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
  const events = operation.pendingPhases.splice(0);
  if (events.length === 0 || operation.work === null) return;
  const change = applyPhases(currentRecord(operation, engine.clock.monotonicMs()), events);
  if (change.log.length > 0) await commit(engine, operation, change);
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
    if (operation.record.state === 'running') await markInterrupted(engine, operation, 'not_registered');
    throw error;
  }
}

/** Records a failure of the work: as cancelled, interrupted, paused or failed. */
async function handleFailure(engine: Engine, operation: ActiveOperation, error: unknown): Promise<void> {
  const failure = error instanceof WorkFailure ? error : null;
  if (operation.record.state === 'cancelling' && failure?.code !== 'interrupted') {
    await endCancelled(engine, operation);
    return;
  }
  if (failure?.code === 'interrupted') await markInterrupted(engine, operation, interruptionOf(failure));
  else if (failure?.code === 'paused') await pauseForSpace(engine, operation, failure);
  else await endFailed(engine, operation, error);
}

/** The reason that the work gave; else the server stops. */
function interruptionOf({ error }: WorkFailure): StateReasonCode {
  return isStateReasonCode(error.code) ? error.code : 'server_stopped';
}

/** Paused and cancelling operations keep their state: it means the same after the restart. */
async function markInterrupted(
  engine: Engine,
  operation: ActiveOperation,
  code: StateReasonCode = 'server_stopped',
): Promise<void> {
  if (operation.record.state !== 'running') return;
  const record = withState(operation.record, 'interrupted', { code });
  await commit(engine, operation, { record, log: [{ kind: 'state', text: `interrupted: ${code}` }] });
}

async function pauseForSpace(
  engine: Engine,
  operation: ActiveOperation,
  failure: WorkFailure,
): Promise<void> {
  const space = await operation.action.space?.(operation).catch((error: unknown) => {
    engine.onError(error, { stage: `operation ${operation.id}: free space` });
    return null;
  });
  const params = !space ? {} : { needs: space.needsBytes, free: space.freeBytes };
  const { code } = failure.error;
  const reason = { code: isStateReasonCode(code) ? code : 'no_space', params } as const;
  const log = [{ kind: 'state' as const, text: `paused: ${failure.error.message}` }];
  // Paused on request before the disk was full: only a request resumes it.
  if (operation.record.state === 'paused') return;
  await commit(engine, operation, {
    record: withState(operation.record, 'paused', reason),
    log,
    insists: true,
  });
}
