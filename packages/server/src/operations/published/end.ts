import type { EndOperationInput } from '@wcc/api';
import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { auditStatement } from '../../storage/audit.ts';
import { commit } from '../commit.ts';
import type { LogLine } from '../commit.ts';
import { cancelTooLate } from '../end.ts';
import type { Engine } from '../engine.ts';
import { currentRecord } from '../active-operation.ts';
import { endPhases, stopPhase, withState } from '../record.ts';
import type { OperationRecord } from '../record.ts';
import { withDurableNumbers, stopClock } from './publication.ts';
import type { Publication } from './publication.ts';

/** How it ends, and who reported the end. */
export interface End extends EndOperationInput {
  /** The name for the audit record; `wcc` if silence ended it. */
  who: string;
  /** Client address. */
  address: string;
  /** Further lines of the log, before the line of the end. */
  log?: readonly LogLine[];
}

/**
 * Ends a published operation, once; the end is durable before the hub shows it. Call it inside `exclusive`.
 *
 * @throws ApiError `invalid_state` if it has another end
 */
export async function end(engine: Engine, publication: Publication, wanted: End): Promise<Snapshot> {
  const { record } = publication;
  if (isTerminal(record.state)) {
    assertSameEnd(record, wanted);
    return engine.hub.get(publication.id) ?? engine.hub.put(record);
  }
  const { who, address, log = [] } = wanted;
  const ended = endedRecord(currentRecord(publication, engine.clock.monotonicMs()), wanted);
  const audit = auditStatement({
    who,
    address,
    what: 'operation.end',
    subject: `operation:${publication.id}`,
    // Not the code of the error: the publisher chooses it, and it could be `ok`.
    result: wanted.state === 'succeeded' ? 'ok' : wanted.state,
  });
  const snapshot = await commit(engine, publication, {
    record: withDurableNumbers(ended),
    log: [...log, ...linesOf(ended)],
    statements: [audit],
  });
  stopClock(publication);
  publication.leave();
  return snapshot;
}

/** Repeating the same end is allowed, because its answer may have been lost. @throws ApiError `invalid_state` */
export function assertSameEnd(
  record: Pick<OperationRecord, 'state' | 'error' | 'result'>,
  wanted: EndOperationInput,
): void {
  const requested = JSON.stringify([wanted.state, wanted.error ?? null, wanted.result]);
  if (requested === JSON.stringify([record.state, record.error, record.result])) return;
  throw hasEnded(record);
}

/** The answer to a report after the end. */
export function hasEnded({ state }: Pick<OperationRecord, 'state'>): ApiError {
  return new ApiError('invalid_state', { message: `The operation has already ended: ${state}.` });
}

function endedRecord(record: OperationRecord, { state, error, result }: End): OperationRecord {
  const ended = { ...withState(readyFor(record, state), state), error: error ?? null, result };
  if (state !== 'succeeded') return stopPhase(ended);
  const wasCancelling = record.state === 'cancelling';
  const warnings = wasCancelling ? [...record.warnings, cancelTooLate] : record.warnings;
  return { ...endPhases(ended, null), warnings };
}

/** A reported end shows that an interrupted operation ran in the meantime. */
function readyFor(record: OperationRecord, state: End['state']): OperationRecord {
  return record.state === 'interrupted' && state !== 'failed' ? withState(record, 'running') : record;
}

function linesOf({ state, error, warnings }: OperationRecord): LogLine[] {
  if (error !== null) {
    return [
      { kind: 'error', text: `${error.code}: ${error.message}` },
      { kind: 'state', text: `failed: ${error.code}` },
    ];
  }
  const isLate = warnings.includes(cancelTooLate);
  return [{ kind: 'state', text: isLate ? `${state}: the cancel came too late` : state }];
}
