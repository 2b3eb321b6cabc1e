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
import { endPhases, failPhase, withState } from '../record.ts';
import type { OperationRecord } from '../record.ts';
import { withDurableNumbers, stopClock } from './publication.ts';
import type { Publication } from './publication.ts';

/** How it ends, and by whose word. */
export interface End extends EndOperationInput {
  /** As the audit record names people; `wcc` when silence ended it. */
  who: string;
  /** Client address. */
  address: string;
  /** Further lines of the log, before the one that tells the end. */
  log?: readonly LogLine[];
}

/**
 * The end of a published operation: durable before anybody is told, reached once. To be called inside
 * `exclusive`.
 *
 * @throws ApiError `invalid_state` when it has ended otherwise
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
    // Not the code of the error: that is the publisher's choice, and could be `ok`.
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

/** The same end once more changes nothing: its answer may have been lost. @throws ApiError `invalid_state` */
export function assertSameEnd(
  record: Pick<OperationRecord, 'state' | 'error' | 'result'>,
  wanted: EndOperationInput,
): void {
  const requested = JSON.stringify([wanted.state, wanted.error ?? null, wanted.result]);
  if (requested === JSON.stringify([record.state, record.error, record.result])) return;
  throw hasEnded(record);
}

/** What a program is told that reports on an operation which is over. */
export function hasEnded({ state }: Pick<OperationRecord, 'state'>): ApiError {
  return new ApiError('invalid_state', { message: `The operation has ended as ${state}.` });
}

function endedRecord(record: OperationRecord, { state, error, result }: End): OperationRecord {
  const ended = { ...withState(readyFor(record, state), state), error: error ?? null, result };
  if (state !== 'succeeded') return failPhase(ended);
  const wasCancelling = record.state === 'cancelling';
  const warnings = wasCancelling ? [...record.warnings, cancelTooLate] : record.warnings;
  return { ...endPhases(ended, null), warnings };
}

/** Nothing ends well or cancelled out of silence: its program's word says that it ran meanwhile. */
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
