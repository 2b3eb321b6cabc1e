import type { OperationState } from '@wcc/progress';
import { isStateReasonCode } from '@wcc/api';
import type { StateReasonCode } from '@wcc/api';
import type { Work, PhaseEvent, WorkResult } from './work.ts';
import { toWorkFailure, WorkFailure } from './failure.ts';
import { commit } from './commit.ts';
import type { LogLine } from './commit.ts';
import { continued } from './resumed-work.ts';
import { endCancelled, endFailed, endSucceeded } from './end.ts';
import type { Engine } from './engine.ts';
import type { Live } from './active-operation.ts';
import { newest } from './active-operation.ts';
import type { OperationRecord } from './record.ts';
import { enterPhase, withState } from './record.ts';

/**
 * Gives an operation its turn: `running` is durable before the first byte moves. What stands in between (it
 * was cancelled while it waited for its turn) is no error.
 */
export async function run(
  engine: Engine,
  live: Live,
  from: readonly OperationState[] = ['queued', 'paused', 'interrupted'],
): Promise<void> {
  await live.exclusive(async () => {
    const { state } = live.record;
    if (engine.isStopping || !from.includes(state)) {
      leavePlace(engine, live);
      return;
    }
    const text = state === 'queued' ? 'started' : `resumed (was ${state})`;
    const record = withState(live.record, 'running');
    try {
      await commit(engine, live, { record, log: [{ kind: 'state', text }] });
    } catch (error) {
      // Not told as running, so it is not: it waits for the next turn.
      leavePlace(engine, live, { pumps: false });
      throw error;
    }
    if (live.work) live.work.resume();
    else await begin(engine, live);
    if (live.work === null) leavePlace(engine, live);
  });
}

/** Its turn is over: the next one may start. */
export function leavePlace(engine: Engine, live: Live, { pumps = true }: { pumps?: boolean } = {}): void {
  if (!live.holdsPlace) return;
  live.holdsPlace = false;
  if (pumps) engine.pump(live.input.poolId);
}

async function begin(engine: Engine, live: Live): Promise<void> {
  let work: Work;
  try {
    work = await live.action.start(live, {
      onPhase: (event) => notePhase(engine, live, event),
      onWarning: (code) => noteWarning(engine, live, code),
    });
  } catch (error) {
    await settleFailure(engine, live, toWorkFailure(error));
    return;
  }
  live.work = continued(work, live.record.phases);
  live.stopPull = engine.hub.pull(live.id, () => newest(live, engine.clock.monotonicMs()));
  live.work.done
    .then(
      (result) => finish(engine, live, { result }),
      (error: unknown) => finish(engine, live, { error }),
    )
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${live.id}: end` }));
}

/** Phases are made durable behind the work's back, several at once when they are short. */
function notePhase(engine: Engine, live: Live, event: PhaseEvent): void {
  live.pendingPhases.push(event);
  if (live.pendingPhases.length > 1) return;
  live
    .exclusive(() => commitPhases(engine, live))
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${live.id}: phase` }));
}

/** One that comes after the work's end is told with that end, or not at all. */
function noteWarning(engine: Engine, live: Live, code: string): void {
  live
    .exclusive(async () => {
      if (live.work === null || live.record.warnings.includes(code)) return;
      const { warnings, ...rest } = newest(live, engine.clock.monotonicMs());
      const record = { ...rest, warnings: [...warnings, code] };
      await commit(engine, live, { record, log: [{ kind: 'warning', text: code }] });
    })
    .catch((error: unknown) => engine.onError(error, { stage: `operation ${live.id}: warning` }));
}

async function commitPhases(engine: Engine, live: Live): Promise<void> {
  const events = live.pendingPhases.splice(0);
  if (events.length === 0 || live.work === null) return;
  const change = takePhases(newest(live, engine.clock.monotonicMs()), events);
  if (change.log.length > 0) await commit(engine, live, change);
}

function takePhases(record: OperationRecord, events: readonly PhaseEvent[]): PhaseChange {
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
async function finish(engine: Engine, live: Live, outcome: Outcome): Promise<void> {
  await live
    .exclusive(async () => {
      const record = newest(live, engine.clock.monotonicMs());
      const { log, record: entered } = takePhases(record, live.pendingPhases.splice(0));
      live.record = entered;
      live.work = null;
      live.stopPull();
      if ('result' in outcome) await endOrWait(engine, live, { result: outcome.result, log });
      else await settleFailure(engine, live, outcome.error);
    })
    .finally(() => leavePlace(engine, live));
}

/** What was published and could not be registered is settled again by the next look at its pool. */
async function endOrWait(
  engine: Engine,
  live: Live,
  end: { result: WorkResult; log: readonly LogLine[] },
): Promise<void> {
  try {
    await endSucceeded(engine, live, end);
  } catch (error) {
    if (live.record.state === 'running') await interrupted(engine, live, 'not_registered');
    throw error;
  }
}

/** What a bad end of the work means for the operation. */
async function settleFailure(engine: Engine, live: Live, error: unknown): Promise<void> {
  const failure = error instanceof WorkFailure ? error : null;
  if (live.record.state === 'cancelling' && failure?.code !== 'interrupted') {
    await endCancelled(engine, live);
    return;
  }
  if (failure?.code === 'interrupted') await interrupted(engine, live, interruptionOf(failure));
  else if (failure?.code === 'paused') await pausedForRoom(engine, live, failure);
  else await endFailed(engine, live, error);
}

/** Work that stops by itself says why; else the server stops. */
function interruptionOf({ error }: WorkFailure): StateReasonCode {
  return isStateReasonCode(error.code) ? error.code : 'server_stopped';
}

/** Paused and cancelling ones stay so: they mean the same after the restart. */
async function interrupted(
  engine: Engine,
  live: Live,
  code: StateReasonCode = 'server_stopped',
): Promise<void> {
  if (live.record.state !== 'running') return;
  const record = withState(live.record, 'interrupted', { code });
  await commit(engine, live, { record, log: [{ kind: 'state', text: `interrupted: ${code}` }] });
}

async function pausedForRoom(engine: Engine, live: Live, failure: WorkFailure): Promise<void> {
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
