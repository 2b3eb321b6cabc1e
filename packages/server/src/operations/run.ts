import type { OperationState } from '@wcc/progress';
import { isStateReasonCode } from '@wcc/api';
import type { StateReasonCode } from '@wcc/api';
import type { Work, PhaseEvent, WorkResult } from './work.ts';
import { toWorkFailure, WorkFailure } from './failure.ts';
import { commit } from './commit.ts';
import type { LogLine } from './commit.ts';
import { withEarlierTimes } from './resumed-work.ts';
import { endCancelled, endFailed, endSucceeded } from './end.ts';
import type { Engine } from './engine.ts';
import type { ActiveOperation } from './active-operation.ts';
import { currentRecord } from './active-operation.ts';
import type { OperationRecord } from './record.ts';
import { enterPhase, withState } from './record.ts';

/**
 * Gives an operation its turn: `running` is durable before the first byte moves. What stands in between (it
 * was cancelled while it waited for its turn) is no error.
 */
export async function run(
  engine: Engine,
  live: ActiveOperation,
  from: readonly OperationState[] = ['queued', 'paused', 'interrupted'],
): Promise<void> {
  await live.exclusive(async () => {
    const { state } = live.record;
    if (engine.isStopping || !from.includes(state)) {
      releaseSlot(engine, live);
      return;
    }
    const text = state === 'queued' ? 'started' : `resumed (was ${state})`;
    const record = withState(live.record, 'running');
    try {
      await commit(engine, live, { record, log: [{ kind: 'state', text }] });
    } catch (error) {
      // Not told as running, so it is not: it waits for the next turn.
      releaseSlot(engine, live, { pumps: false });
      throw error;
    }
    if (live.work) live.work.resume();
    else await startWorkOf(engine, live);
    if (live.work === null) releaseSlot(engine, live);
  });
}

/** Its turn is over: the next one may start. */
export function releaseSlot(
  engine: Engine,
  live: ActiveOperation,
  { pumps = true }: { pumps?: boolean } = {},
): void {
  if (!live.hasSlot) return;
  live.hasSlot = false;
  if (pumps) engine.pump(live.input.poolId);
}

async function startWorkOf(engine: Engine, live: ActiveOperation): Promise<void> {
  let work: Work;
  try {
    work = await live.action.start(live, {
      onPhase: (event) => recordPhase(engine, live, event),
      onWarning: (code) => recordWarning(engine, live, code),
    });
  } catch (error) {
    await handleFailure(engine, live, toWorkFailure(error));
    return;
  }
  live.work = withEarlierTimes(work, live.record.phases);
  live.stopPolling = engine.hub.pull(live.id, () => currentRecord(live, engine.clock.monotonicMs()));
  live.work.done
    .then(
      (result) => finish(engine, live, { result }),
      (error: unknown) => finish(engine, live, { error }),
    )
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${live.id}: end` }));
}

/** Phases are made durable behind the work's back, several at once when they are short. */
function recordPhase(engine: Engine, live: ActiveOperation, event: PhaseEvent): void {
  live.pendingPhases.push(event);
  if (live.pendingPhases.length > 1) return;
  live
    .exclusive(() => commitPhases(engine, live))
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${live.id}: phase` }));
}

/** One that comes after the work's end is told with that end, or not at all. */
function recordWarning(engine: Engine, live: ActiveOperation, code: string): void {
  live
    .exclusive(async () => {
      if (live.work === null || live.record.warnings.includes(code)) return;
      const { warnings, ...rest } = currentRecord(live, engine.clock.monotonicMs());
      const record = { ...rest, warnings: [...warnings, code] };
      await commit(engine, live, { record, log: [{ kind: 'warning', text: code }] });
    })
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${live.id}: warning` }));
}

async function commitPhases(engine: Engine, live: ActiveOperation): Promise<void> {
  const events = live.pendingPhases.splice(0);
  if (events.length === 0 || live.work === null) return;
  const change = applyPhases(currentRecord(live, engine.clock.monotonicMs()), events);
  if (change.log.length > 0) await commit(engine, live, change);
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

/** The work has ended, well or badly; its record follows. */
async function finish(engine: Engine, live: ActiveOperation, outcome: Outcome): Promise<void> {
  await live
    .exclusive(async () => {
      const record = currentRecord(live, engine.clock.monotonicMs());
      const { log, record: entered } = applyPhases(record, live.pendingPhases.splice(0));
      live.record = entered;
      live.work = null;
      live.stopPolling();
      if ('result' in outcome) await endOrInterrupt(engine, live, { result: outcome.result, log });
      else await handleFailure(engine, live, outcome.error);
    })
    .finally(() => releaseSlot(engine, live));
}

/** What was published and could not be registered is settled again by the next look at its pool. */
async function endOrInterrupt(
  engine: Engine,
  live: ActiveOperation,
  end: { result: WorkResult; log: readonly LogLine[] },
): Promise<void> {
  try {
    await endSucceeded(engine, live, end);
  } catch (error) {
    if (live.record.state === 'running') await markInterrupted(engine, live, 'not_registered');
    throw error;
  }
}

/** What a bad end of the work means for the operation. */
async function handleFailure(engine: Engine, live: ActiveOperation, error: unknown): Promise<void> {
  const failure = error instanceof WorkFailure ? error : null;
  if (live.record.state === 'cancelling' && failure?.code !== 'interrupted') {
    await endCancelled(engine, live);
    return;
  }
  if (failure?.code === 'interrupted') await markInterrupted(engine, live, interruptionOf(failure));
  else if (failure?.code === 'paused') await pauseForSpace(engine, live, failure);
  else await endFailed(engine, live, error);
}

/** Work that stops by itself says why; else the server stops. */
function interruptionOf({ error }: WorkFailure): StateReasonCode {
  return isStateReasonCode(error.code) ? error.code : 'server_stopped';
}

/** Paused and cancelling ones stay so: they mean the same after the restart. */
async function markInterrupted(
  engine: Engine,
  live: ActiveOperation,
  code: StateReasonCode = 'server_stopped',
): Promise<void> {
  if (live.record.state !== 'running') return;
  const record = withState(live.record, 'interrupted', { code });
  await commit(engine, live, { record, log: [{ kind: 'state', text: `interrupted: ${code}` }] });
}

async function pauseForSpace(engine: Engine, live: ActiveOperation, failure: WorkFailure): Promise<void> {
  const room = await live.action.space?.(live).catch((error: unknown) => {
    engine.onError(error, { stage: `operation ${live.id}: room` });
    return null;
  });
  const params = !room ? {} : { needs: room.needsBytes, free: room.freeBytes };
  const { code } = failure.error;
  const reason = { code: isStateReasonCode(code) ? code : 'no_space', params } as const;
  const log = [{ kind: 'state' as const, text: `paused: ${failure.error.message}` }];
  // Paused on request before the disk was full: it waits for whoever asked.
  if (live.record.state === 'paused') return;
  await commit(engine, live, { record: withState(live.record, 'paused', reason), log, insists: true });
}
