import type { ReportProgressRequest } from '@wcc/api';
import { ApiError } from '@wcc/api';
import type { Phase, Snapshot } from '@wcc/progress';
import { commit } from '../commit.ts';
import type { LogLine } from '../commit.ts';
import type { Engine } from '../engine.ts';
import { currentRecord } from '../active-operation.ts';
import { enterPhase, withState } from '../record.ts';
import type { OperationRecord } from '../record.ts';
import { countFrom, withDurableNumbers, phaseOf, startClock, publishRecord } from './publication.ts';
import type { Publication } from './publication.ts';

/** A snapshot of at most 2 KiB names all phases. */
const maxPhases = 12;

/**
 * Applies one report. Numbers stay in memory; a new phase and a return from silence are durable before the hub
 * shows them. Call it inside `exclusive`.
 *
 * @returns the snapshot after the report; its state `cancelling` asks the program to stop
 * @throws ApiError `invalid_input`, `invalid_state`
 */
export async function report(
  engine: Engine,
  publication: Publication,
  request: ReportProgressRequest,
): Promise<Snapshot> {
  const before = currentRecord(publication, engine.clock.monotonicMs());
  const log: LogLine[] = [];
  let record = before;
  let { reported } = publication;
  if (request.phase !== undefined && request.phase !== phaseOf(record).name) {
    record = nextPhase(record, request.phase, request);
    reported = 0;
    log.push({ kind: 'phase', text: request.phase });
  }
  reported = countOf(reported, request);
  record = withNumbers(record, { ...request, reported });
  if (record.state === 'interrupted') {
    record = withState(record, 'running');
    log.push({ kind: 'state', text: 'resumed: its program reports again' });
  }
  await take(engine, publication, { before, record, reported, log });
  return publishRecord(engine, publication);
}

interface TakenReport {
  before: OperationRecord;
  record: OperationRecord;
  reported: number;
  log: readonly LogLine[];
}

async function take(engine: Engine, publication: Publication, taken: TakenReport): Promise<void> {
  const { before, record, reported, log } = taken;
  const isSamePhase = record.phaseIndex === before.phaseIndex;
  const moved = !isSamePhase || phaseOf(record).done > phaseOf(before).done;
  if (log.length === 0) publication.record = record;
  else await commit(engine, publication, { record: withDurableNumbers(record), log });
  const nowMs = engine.clock.monotonicMs();
  const { movedAtMs } = publication;
  // After silence the clocks start again; in a new phase they start at zero.
  if (!isSamePhase || before.state === 'interrupted') countFrom(publication, nowMs);
  publication.reported = reported;
  publication.movedAtMs = moved || before.state === 'interrupted' ? nowMs : movedAtMs;
  if (publication.work === null) startClock(engine, publication);
}

function countOf(reported: number, { done, add }: ReportProgressRequest): number {
  // A lower number is an older report that arrived late, or a program that started from zero.
  return Math.min(Math.max(reported, done ?? 0, reported + (add ?? 0)), Number.MAX_SAFE_INTEGER);
}

function nextPhase(
  record: OperationRecord,
  name: string,
  { total = null, unit }: ReportProgressRequest,
): OperationRecord {
  if (record.phases.some((phase) => phase.name === name)) {
    const message = `The phase "${name}" has ended and cannot start again.`;
    throw new ApiError('invalid_state', { message, field: 'phase' });
  }
  if (record.phases.length >= maxPhases) {
    const message = `An operation has at most ${maxPhases} phases.`;
    throw new ApiError('invalid_input', { message, field: 'phase' });
  }
  return beginPhase(record, { name, total, unit: unit === undefined ? phaseOf(record).unit : unit });
}

/** Appends a phase and starts it. */
export function beginPhase(
  record: OperationRecord,
  { name, total, unit }: Pick<Phase, 'name' | 'total' | 'unit'>,
): OperationRecord {
  const phase: Phase = { name, unit, total, done: 0, durable: 0, state: 'pending', elapsedMs: 0 };
  return enterPhase({ ...record, phases: [...record.phases, phase] }, { phase: name, unit, total });
}

/**
 * The current phase with the reported numbers. `done` never falls and never exceeds the total: units beyond it
 * show when the program reports a larger total.
 */
function withNumbers(
  record: OperationRecord,
  { total, unit, reported }: ReportProgressRequest & { reported: number },
): OperationRecord {
  const current = phaseOf(record);
  const known = total === undefined ? current.total : total;
  if (known !== null && known < current.done) {
    const message = `The total ${known} is less than the ${current.done} units that are done.`;
    throw new ApiError('invalid_input', { message, field: 'total' });
  }
  if (unit !== undefined && unit !== current.unit && current.done > 0) {
    throw new ApiError('invalid_input', { message: 'The unit of a phase cannot change.', field: 'unit' });
  }
  const done = known === null ? reported : Math.min(reported, known);
  const phase: Phase = { ...current, total: known, unit: unit === undefined ? current.unit : unit, done };
  return { ...record, phases: record.phases.with(record.phaseIndex, phase) };
}
