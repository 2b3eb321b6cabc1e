import { ApiError } from '@wcc/api';
import type { OperationState, Snapshot } from '@wcc/progress';
import { operationStates } from '@wcc/progress/protocol';
import { sql } from 'kysely';
import type { Expression } from 'kysely';
import type { RightScope } from '../access/rules.ts';
import type { Store } from '../storage/store.ts';
import type { Engine } from './engine.ts';
import { parseRow, storedSnapshot, unindexed } from './rows.ts';

export interface OperationFilter {
  /** States joined by commas. */
  state?: string | undefined;
  action?: string | undefined;
  owner?: string | undefined;
  /** `<kind>:<id>`, e.g. `image:100`. */
  subject?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  cursor?: string | undefined;
  limit: number;
  visible: RightScope;
}

/** Newest first. @throws ApiError `invalid_input` for an invalid filter */
export async function listOperations(
  engine: Engine,
  filter: OperationFilter,
): Promise<{ items: Snapshot[]; next?: string }> {
  const { db } = engine.store;
  const [first, ...others] = branchesOf(db, filter);
  if (first === undefined) return { items: [] };
  const found = others.reduce((all, branch) => all.unionAll(branch), first);
  const page = db
    .selectFrom(found.as('found'))
    .select(['found.id', 'found.createdAt'])
    .orderBy('found.createdAt', 'desc')
    .orderBy('found.id', 'desc')
    .limit(filter.limit + 1);
  const rows = await db
    .selectFrom(page.as('page'))
    .innerJoin('operations', 'operations.id', 'page.id')
    .select(['page.id', 'page.createdAt', 'operations.rev', 'operations.input', 'operations.record'])
    .orderBy('page.createdAt', 'desc')
    .orderBy('page.id', 'desc')
    .execute();
  const pageRows = rows.slice(0, filter.limit);
  const items = pageRows.map((row) => engine.hub.get(row.id) ?? storedSnapshot(parseRow(row)));
  const last = pageRows.at(-1);
  return rows.length > pageRows.length && last ? { items, next: makeCursor(last) } : { items };
}

type Db = Store['db'];

/**
 * Queries that together find the page. Each one reads an index in the order of time and stops after a page, so a page
 * costs the same with any number of ended operations. With a filter, each state has its own query: an index that
 * begins with several states is not in the order of time.
 */
function branchesOf(db: Db, filter: OperationFilter) {
  const { all, ownerId, grantedTo } = filter.visible;
  const { owner } = filter;
  const states = filter.state === undefined ? null : parseStates(filter.state);
  const isFiltered = [owner, filter.action, filter.subject].some((value) => value !== undefined);
  if (all && states === null && !isFiltered) return [limited(db, newest(db, filter))];
  const perState = (byOwner: string | undefined) =>
    [...new Set(states ?? operationStates)].map((state) => {
      const query = newest(db, filter).where('state', '=', state);
      return limited(db, byOwner === undefined ? query : query.where('ownerId', '=', byOwner));
    });
  if (all) return perState(owner);
  const own = ownerId === null || (owner ?? ownerId) !== ownerId ? [] : perState(ownerId);
  if (grantedTo === null) return own;
  const ids = db.selectFrom('grants').select('operationId').where('userId', '=', grantedTo);
  // Found by their ids, because they are few.
  const granted = newest(db, filter, unindexed)
    .where('id', 'in', ids)
    .$if(states !== null, (query) => query.where(unindexed('state'), 'in', states ?? []))
    .$if(owner !== undefined, (query) => query.where(unindexed('ownerId'), '=', owner ?? ''))
    // The other queries have these.
    .$if(ownerId !== null, (query) => query.where(unindexed('ownerId'), '<>', ownerId ?? ''));
  return [...own, limited(db, granted)];
}

type Column = (name: string) => Expression<string>;

const indexed: Column = (name) => sql.ref(name);

/** The newest operations with these properties, whatever their state and owner. */
function newest(db: Db, { action, subject, since, until, cursor, limit }: OperationFilter, column = indexed) {
  let query = db.selectFrom('operations').select(['id', 'createdAt']);
  if (action !== undefined) query = query.where(column('action'), '=', action);
  if (since !== undefined) query = query.where(column('createdAt'), '>=', toIso(since, 'since'));
  if (until !== undefined) query = query.where(column('createdAt'), '<', toIso(until, 'until'));
  if (subject !== undefined) {
    const { kind, id } = parseSubject(subject);
    query = query.where(column('subjectKind'), '=', kind).where(column('subjectId'), '=', id);
  }
  if (cursor !== undefined) {
    const { at, id } = parseCursor(cursor);
    // Compared as a pair, because only a pair is one range of an index.
    query = query.where(sql<boolean>`(${column('createdAt')}, ${column('id')}) < (${at}, ${id})`);
  }
  return query
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);
}

/** A part of a compound query cannot have a limit itself, but its source can. */
function limited(db: Db, query: ReturnType<typeof newest>) {
  return db.selectFrom(query.as('part')).select(['part.id', 'part.createdAt']);
}

function parseStates(text: string): OperationState[] {
  const states = text.split(',');
  const known: readonly string[] = operationStates;
  const unknown = states.find((state) => !known.includes(state));
  if (unknown === undefined) return states as OperationState[];
  throw new ApiError('invalid_input', { field: 'state', message: `"${unknown}" is not a state.` });
}

function parseSubject(text: string): { kind: string; id: string } {
  const match = /^([a-z_]+):(.+)$/.exec(text);
  const [, kind, id] = match ?? [];
  if (kind !== undefined && id !== undefined) return { kind, id };
  throw new ApiError('invalid_input', {
    field: 'subject',
    message: 'Write a subject as <kind>:<id>, e.g. image:100.',
  });
}

function toIso(text: string, field: string): string {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw new ApiError('invalid_input', { field, message: 'This is not a valid time.' });
}

/** Opaque to callers. */
function makeCursor({ createdAt, id }: { createdAt: string; id: string }): string {
  return Buffer.from(`${createdAt} ${id}`).toString('base64url');
}

function parseCursor(cursor: string): { at: string; id: string } {
  const [at, id, ...rest] = Buffer.from(cursor, 'base64url').toString().split(' ');
  const isTime = at !== undefined && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(at);
  if (isTime && id !== undefined && rest.length === 0) return { at, id };
  throw new ApiError('invalid_input', { field: 'cursor', message: 'This is not a valid cursor.' });
}
