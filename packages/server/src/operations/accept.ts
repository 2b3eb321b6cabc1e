import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { audit } from '../access/audit.ts';
import { toNameTaken } from '../access/name-taken.ts';
import type { Principal } from '../access/principal.ts';
import type { WriteStatement } from '../storage/store.ts';
import type { OperationInput } from './action.ts';
import type { Engine } from './engine.ts';
import { createActiveOperation } from './active-operation.ts';
import type { NewRecord, OperationRecord } from './record.ts';
import { newRecord } from './record.ts';
import type { Scheduler } from './scheduler.ts';

/** The properties of an operation that its action decides before the operation exists. */
export interface Acceptance extends Pick<NewRecord, 'id' | 'subject' | 'target'> {
  /** Name of a registered action. */
  action: string;
  input: OperationInput;
  principal: Principal;
  /** Final names of files, reserved until the end of the operation. */
  names: readonly string[];
  /** Bytes of space to reserve for the operation. */
  reservedBytes: number;
  retryOf: string | null;
  /** Further rows of the same batch: an idempotency key, a counter. */
  statements: readonly WriteStatement[];
}

/**
 * Creates the operation. Record, reservations, audit and log are durable in one batch before this resolves;
 * the work starts later.
 *
 * @throws ApiError `exists` if a name was reserved in the meantime, `shutting_down`
 */
export async function accept(engine: Engine, scheduler: Scheduler, wanted: Acceptance): Promise<Snapshot> {
  if (engine.isStopping) throw new ApiError('shutting_down', { retryAfterS: 5 });
  const { input, principal } = wanted;
  const action = engine.actions.get(wanted.action);
  if (action === undefined) throw new Error(`unknown action ${wanted.action}`);
  const record = newRecord({
    id: wanted.id,
    action: action.name,
    subject: wanted.subject,
    target: wanted.target,
    owner: principal.userId,
    ownerName: principal.userName,
    phases: action.phases(input),
    createdAt: engine.clock.isoNow(),
    retryOf: wanted.retryOf,
  });
  const batch = batchOf(engine, wanted, record);
  await engine.store.write(batch).catch((error: unknown) => {
    throw toNameTaken(error);
  });
  const operation = createActiveOperation({
    action,
    input,
    record,
    rev: 1,
    logNumber: 1,
    isRecovered: false,
  });
  engine.active.set(operation.id, operation);
  const snapshot = engine.hub.put(record);
  engine.onState(record);
  scheduler.submit(operation);
  return engine.hub.get(operation.id) ?? snapshot;
}

function batchOf(engine: Engine, wanted: Acceptance, record: OperationRecord): WriteStatement[] {
  const { db } = engine.store;
  const { input, principal } = wanted;
  const { poolId } = input;
  const operationId = record.id;
  const names = wanted.names.map((name) => ({
    query: db.insertInto('nameReservations').values({ poolId, name, operationId }),
  }));
  const space = db
    .insertInto('spaceReservations')
    .values({ operationId, poolId, bytes: wanted.reservedBytes });
  const text = wanted.retryOf === null ? 'queued' : `queued: a retry of ${wanted.retryOf}`;
  const rows = firstRows(engine, { record, input, principal, text, what: record.action });
  return [...rows, ...names, { query: space }, ...wanted.statements];
}

export interface FirstRows {
  record: OperationRecord;
  /** JSON, read again after a restart. */
  input: object;
  principal: Principal;
  /** The first line of the log. */
  text: string;
  /** The word of the audit record. */
  what: string;
}

/** The first rows of every operation: its record, the first line of its log, the audit row. */
export function firstRows({ store: { db } }: Engine, rows: FirstRows): WriteStatement[] {
  const { record, input, principal, text, what } = rows;
  const { subject, createdAt: at, startedAt, id: operationId } = record;
  const operation = db.insertInto('operations').values({
    id: operationId,
    label: record.label,
    action: record.action,
    state: record.state,
    ownerId: record.owner,
    subjectKind: subject.kind,
    subjectId: subject.id === null ? null : String(subject.id),
    createdAt: at,
    startedAt,
    endedAt: null,
    rev: 1,
    input: JSON.stringify(input),
    record: JSON.stringify(record),
  });
  const log = db.insertInto('operationLog').values({ operationId, number: 1, at, kind: 'state', text });
  const row = audit(principal, what, `operation:${operationId}`);
  return [{ query: operation }, { query: log }, row];
}
