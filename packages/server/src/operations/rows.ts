import type { ImageId } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { sql } from 'kysely';
import type { Expression } from 'kysely';
import type { Store } from '../storage/store.ts';
import type { OperationInput } from './action.ts';
import type { PublishedInput } from './published/input.ts';
import type { OperationRecord } from './record.ts';
import { withRunningTime } from './running-time.ts';

/** A stored operation. A published operation has another kind of input. */
export interface OperationRow<Input = OperationInput | PublishedInput> {
  id: string;
  rev: number;
  input: Input;
  record: OperationRecord;
}

/** Whether another program runs it. The name of the action does not show that: publishers choose names. */
export function isPublished(row: OperationRow): row is OperationRow<PublishedInput> {
  return 'published' in row.input;
}

/** Whether this server runs it. */
export function isOwn(row: OperationRow): row is OperationRow<OperationInput> {
  return !isPublished(row);
}

export async function readRow(store: Store, id: string): Promise<OperationRow | null> {
  const row = await store.db
    .selectFrom('operations')
    .select(['id', 'rev', 'input', 'record'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? null : parseRow(row);
}

/** The rows of unfinished operations in the order of acceptance, with their running times. */
export async function readUnfinished(store: Store): Promise<OperationRow[]> {
  const rows = await store.db
    .selectFrom('operations')
    .select(['id', 'rev', 'input', 'record', 'elapsedMs'])
    .where('endedAt', 'is', null)
    .orderBy(sql`rowid`)
    .execute();
  return rows.map((row) => {
    const parsed = parseRow(row);
    return { ...parsed, record: withRunningTime(parsed.record, row.elapsedMs) };
  });
}

/** An unfinished operation of this server that names an image as its `sourceId`. */
export interface ImageUse {
  id: string;
  label: string;
  action: string;
  ownerId: string;
  imageId: ImageId;
}

/** Reads no record: this precedes every answer about an image. */
export async function readImageUses(store: Store): Promise<ImageUse[]> {
  const rows = await store.db
    .selectFrom('operations')
    .select(['id', 'label', 'action', 'ownerId'])
    .select(sql`json_extract(input, '$.sourceId')`.as('imageId'))
    .where('endedAt', 'is', null)
    .execute();
  return rows.filter((row): row is ImageUse => typeof row.imageId === 'number');
}

/**
 * A column in a condition that chooses no index: the rest of the query finds few rows, and SQLite must not read the
 * whole history of an action or owner instead.
 */
export function unindexed(column: string): Expression<string> {
  return sql`+${sql.ref(column)}`;
}

/** The inputs of unfinished operations of one action. */
export async function readUnfinishedInputs(store: Store, action: string): Promise<OperationInput[]> {
  const rows = await store.db
    .selectFrom('operations')
    .select('input')
    .where('endedAt', 'is', null)
    .where(unindexed('action'), '=', action)
    .execute();
  return rows.map(({ input }) => JSON.parse(input) as OperationInput);
}

/** The operations that ended at or after this time of the retention clock. */
export async function readEndedSince(store: Store, since: string): Promise<OperationRow[]> {
  const rows = await store.db
    .selectFrom('operations')
    .select(['id', 'rev', 'input', 'record'])
    .where('endedAt', '>=', since)
    .orderBy('endedAt')
    .limit(500)
    .execute();
  return rows.map(parseRow);
}

/** Number and time of the last line of an operation's log. */
export async function readLogEnd(
  store: Store,
  operationId: string,
): Promise<{ logNumber: number; at: string | null }> {
  const line = await store.db
    .selectFrom('operationLog')
    .select(['number', 'at'])
    .where('operationId', '=', operationId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return { logNumber: line?.number ?? 0, at: line?.at ?? null };
}

export interface StoredRow {
  id: string;
  rev: number;
  input: string;
  record: string;
}

/** Fields that records of version 0.1.0 do not have. */
const laterFields = { title: null, host: null } as const satisfies Partial<OperationRecord>;

export function parseRow(row: StoredRow): OperationRow {
  return {
    id: row.id,
    rev: row.rev,
    input: JSON.parse(row.input) as OperationInput | PublishedInput,
    record: { ...laterFields, ...(JSON.parse(row.record) as OperationRecord) },
  };
}

/** The epoch of records that are not in memory: they no longer change, and `seq` is the `rev` of the row. */
const storedEpoch = 'stored';

/** The snapshot of a record that is not in memory. */
export function storedSnapshot({ record, rev }: OperationRow): Snapshot {
  return {
    ...record,
    epoch: storedEpoch,
    seq: rev,
    at: record.endedAt ?? record.createdAt,
    phases: record.phases.map((phase, index) => {
      const { name, state, elapsedMs = 0 } = phase;
      return index === record.phaseIndex ? phase : { name, state, elapsedMs };
    }),
    rate: null,
    etaMs: null,
    etaAbsence: isTerminal(record.state) ? 'not_running' : null,
    sinceProgressMs: record.sinceProgressMs ?? 0,
    stalled: false,
  };
}
