import type { OperationError, Phase, PhaseName, Snapshot, StateReason } from '@wcc/progress';
import { ProgressError, isTerminal } from '@wcc/progress';
import type { ByteCounts, PhaseState } from '@wcc/progress/protocol';
import type { CompleteRecord, OperationRecord } from './record.ts';
import { createRunningTime } from './running-time.ts';

/** Adds the fields that a record leaves out, and corrects those that contradict its state. */
export interface Completion {
  /** Each kind of contradiction is reported once, until a record without it arrives. */
  complete(record: OperationRecord, nowMs: number): CompleteRecord;
  /** The kinds of contradictions of the latest record. */
  reported(): ReadonlySet<string>;
}

/**
 * @param report called for contradictions; watchers receive the corrected record
 * @param known kinds that are reported already
 */
export function createCompletion(
  report: (error: ProgressError) => void,
  known: ReadonlySet<string> = new Set(),
): Completion {
  const runningTime = createRunningTime();
  const seen: SeenTimes = { createdAt: null, startedAt: null, endedAt: null };
  let reported = known;
  return {
    complete: (record, nowMs) => {
      const found = new Map<string, ProgressError>();
      const check: Check = (code, kind, detail) =>
        void found.set(kind, new ProgressError(code, { detail: `${record.id}: ${detail}` }));
      const complete = completeRecord(record, seen, check);
      const elapsed = runningTime.measure(complete, nowMs);
      for (const [kind, error] of found) if (!reported.has(kind)) report(error);
      reported = new Set(found.keys());
      return {
        ...complete,
        elapsedMs: record.elapsedMs ?? elapsed.operationMs,
        phases: withElapsed(complete.phases, record, elapsed.phasesMs),
      };
    },
    reported: () => reported,
  };
}

type Check = (code: 'contradictory_record' | 'invalid_record', kind: string, detail: string) => void;

interface SeenTimes {
  createdAt: string | null;
  startedAt: string | null;
  endedAt: string | null;
}

const noSubject = { kind: '', id: null, name: '' } as const;

function completeRecord(record: OperationRecord, seen: SeenTimes, check: Check): CompleteRecord {
  const { id, action, owner, state, subject = noSubject } = record;
  const phases = completePhases(record);
  return {
    id,
    label: record.label ?? labelOf(action, subject),
    action,
    title: record.title ?? null,
    subject,
    target: record.target ?? null,
    owner,
    ownerName: record.ownerName ?? owner,
    host: record.host ?? null,
    state,
    queuePosition: queuePositionOf(record, check),
    stateReason: reasonOf(record),
    phases,
    phaseIndex: phaseIndexOf(record, phases, check),
    bytes: bytesOf(record, check),
    method: record.method ?? null,
    elapsedMs: 0,
    ...timesOf(record, seen, check),
    // A copy, so that a code that the publisher adds later is a change.
    warnings: [...(record.warnings ?? [])],
    error: errorOf(record, check),
    result: record.result ?? null,
    retryOf: record.retryOf ?? null,
    partOf: record.partOf ?? null,
    ...measuredOf(record),
  };
}

function labelOf(action: string, { id, name }: Snapshot['subject']): string {
  const key = id ?? name;
  return key === '' ? action : `${action}_${key}`;
}

/** The measured fields that the record sets. */
function measuredOf({ rate, etaMs, etaAbsence, sinceProgressMs, stalled }: OperationRecord): object {
  return {
    ...(rate === undefined ? {} : { rate }),
    ...(etaMs === undefined ? {} : { etaMs }),
    ...(etaAbsence === undefined ? {} : { etaAbsence }),
    ...(sinceProgressMs === undefined ? {} : { sinceProgressMs }),
    ...(stalled === undefined ? {} : { stalled }),
  };
}

function queuePositionOf({ state, queuePosition = null }: OperationRecord, check: Check): number | null {
  if (queuePosition === null) return null;
  if (state !== 'queued')
    check('contradictory_record', 'position', `${state}, but at ${queuePosition} in the queue`);
  else if (Number.isInteger(queuePosition) && queuePosition > 0) return queuePosition;
  else check('invalid_record', 'position', `queuePosition: ${queuePosition}`);
  return null;
}

function bytesOf({ bytes = null }: OperationRecord, check: Check): ByteCounts | null {
  if (bytes === null) return null;
  const { virtual, data, skipped, shared, written } = bytes;
  const counts = { virtual, data, skipped, shared, written };
  const invalid = Object.entries(counts).find(([, count]) => !Number.isFinite(count) || count < 0);
  if (invalid === undefined) return counts;
  check('invalid_record', 'bytes', `bytes.${invalid[0]}: ${invalid[1]}`);
  return null;
}

/** JSON has no NaN and no Infinity, so such a parameter becomes text. */
function reasonOf({ stateReason = null }: OperationRecord): StateReason | null {
  if (stateReason?.params === undefined) return stateReason;
  const params = Object.entries(stateReason.params).map(
    ([key, value]) =>
      [key, typeof value === 'number' && !Number.isFinite(value) ? String(value) : value] as const,
  );
  return { code: stateReason.code, params: Object.fromEntries(params) };
}

const unknownFailure: OperationError = {
  code: 'failed',
  message: 'The operation failed.',
  hint: '',
  detail: null,
};

function errorOf({ state, error = null }: OperationRecord, check: Check): OperationError | null {
  if (state === 'failed') {
    if (error === null) check('contradictory_record', 'error', 'failed, but without an error');
    return error ?? unknownFailure;
  }
  if (error !== null) check('contradictory_record', 'error', `${state}, but with the error ${error.code}`);
  return null;
}

type Times = Pick<Snapshot, 'createdAt' | 'startedAt' | 'endedAt'>;

const hasStarted: ReadonlySet<string> = new Set(['running', 'paused']);

function timesOf(record: OperationRecord, seen: SeenTimes, check: Check): Times {
  const { state } = record;
  const now = (): string => new Date().toISOString();
  const createdAt = record.createdAt ?? (seen.createdAt ??= now());
  if (state === 'queued' && typeof record.startedAt === 'string')
    check('contradictory_record', 'start', `queued, but started at ${record.startedAt}`);
  if (hasStarted.has(state)) seen.startedAt ??= record.startedAt ?? now();
  const startedAt = state === 'queued' ? null : (record.startedAt ?? seen.startedAt);
  if (!isTerminal(state)) {
    if (typeof record.endedAt === 'string')
      check('contradictory_record', 'end', `${state}, but ended at ${record.endedAt}`);
    return { createdAt, startedAt, endedAt: null };
  }
  if (record.endedAt === null) check('contradictory_record', 'end', `${state}, but endedAt is null`);
  return { createdAt, startedAt, endedAt: record.endedAt ?? (seen.endedAt ??= now()) };
}

type PhaseRecord = NonNullable<OperationRecord['phases']>[number];

function completePhases(record: OperationRecord): (Phase | PhaseName)[] {
  const { phases = [] } = record;
  const index = record.phaseIndex ?? currentIndex(record);
  return phases.map((phase, at) => {
    const state = phase.state ?? stateOf(record, at, index);
    const { name, elapsedMs } = phase;
    if (at !== index) return elapsedMs === undefined ? { name, state } : { name, state, elapsedMs };
    if (!hasAmounts(phase)) return { name, state, elapsedMs: elapsedMs ?? 0 };
    const { unit = 'steps', done = 0, total = null } = phase;
    return { name, unit, done, durable: phase.durable ?? done, total, state, elapsedMs: elapsedMs ?? 0 };
  });
}

function hasAmounts({ unit, done, durable, total }: PhaseRecord): boolean {
  return [unit, done, durable, total].some((amount) => amount !== undefined);
}

function stateOf({ state }: OperationRecord, at: number, current: number): PhaseState {
  if (at !== current) return at < current ? 'done' : 'pending';
  if (state === 'succeeded') return 'done';
  if (state === 'failed') return 'failed';
  return state === 'cancelled' ? 'skipped' : 'running';
}

function currentIndex({ phases = [], state }: OperationRecord): number {
  const marked = phases.findIndex((phase) => phase.state === 'running' || phase.state === 'failed');
  if (marked !== -1) return marked;
  if (isTerminal(state)) return phases.length - 1;
  return state === 'queued' || phases.length === 0 ? -1 : 0;
}

function phaseIndexOf(record: OperationRecord, phases: readonly unknown[], check: Check): number {
  const index = record.phaseIndex ?? currentIndex(record);
  checkQueued(record, check);
  if (Number.isInteger(index) && index >= -1 && index < phases.length) return index;
  check('invalid_record', 'phase', `phaseIndex: ${index} with ${phases.length} phases`);
  return Number.isFinite(index) ? Math.max(-1, Math.min(phases.length - 1, Math.trunc(index))) : -1;
}

/** Progress and a place in the queue exclude each other. The hub cannot know which one is wrong. */
function checkQueued({ state, phases = [] }: OperationRecord, check: Check): void {
  if (state !== 'queued') return;
  const moved = phases.find(({ done = 0 }) => done > 0);
  if (moved === undefined) return;
  const amount = `${moved.done ?? 0} of ${moved.total ?? 'an unknown total'}`;
  check('contradictory_record', 'progress', `queued: ${amount} done in the phase ${moved.name}`);
}

function withElapsed(
  phases: readonly (Phase | PhaseName)[],
  record: OperationRecord,
  measuredMs: ReadonlyMap<string, number>,
): (Phase | PhaseName)[] {
  return phases.map((phase, index) => {
    const given: PhaseRecord | undefined = record.phases?.[index];
    if (given?.elapsedMs !== undefined) return phase;
    const elapsedMs = measuredMs.get(`${index} ${phase.name}`);
    return elapsedMs === undefined ? phase : { ...phase, elapsedMs };
  });
}
