import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { OPERATION_STATES } from '@wcc/progress';
import type { Engine } from './engine.ts';
import { parseRow, storedSnapshot } from './rows.ts';

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
  /** Only operations that this user owns or that were granted to them; null: all. */
  visibleTo: string | null;
}

/** Newest first. @throws ApiError `invalid_input` for an invalid filter */
export async function listOperations(
  engine: Engine,
  filter: OperationFilter,
): Promise<{ items: Snapshot[]; next?: string }> {
  let query = engine.store.db
    .selectFrom('operations')
    .select(['id', 'rev', 'input', 'record', 'createdAt'])
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (filter.state !== undefined) query = query.where('state', 'in', parseStates(filter.state));
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.owner !== undefined) query = query.where('ownerId', '=', filter.owner);
  const { visibleTo } = filter;
  if (visibleTo !== null) {
    const granted = engine.store.db
      .selectFrom('grants')
      .select('operationId')
      .where('userId', '=', visibleTo);
    query = query.where((is) => is.or([is('ownerId', '=', visibleTo), is('id', 'in', granted)]));
  }
  if (filter.since !== undefined) query = query.where('createdAt', '>=', toIso(filter.since, 'since'));
  if (filter.until !== undefined) query = query.where('createdAt', '<', toIso(filter.until, 'until'));
  if (filter.subject !== undefined) {
    const { kind, id } = parseSubject(filter.subject);
    query = query.where('subjectKind', '=', kind).where('subjectId', '=', id);
  }
  if (filter.cursor !== undefined) {
    const { at, id } = parseCursor(filter.cursor);
    query = query.where((is) =>
      is.or([is('createdAt', '<', at), is.and([is('createdAt', '=', at), is('id', '<', id)])]),
    );
  }
  const rows = await query.execute();
  const page = rows.slice(0, filter.limit);
  const items = page.map((row) => engine.hub.get(row.id) ?? storedSnapshot(parseRow(row)));
  const last = page.at(-1);
  return rows.length > page.length && last ? { items, next: makeCursor(last) } : { items };
}

function parseStates(text: string): string[] {
  const states = text.split(',');
  const known: readonly string[] = OPERATION_STATES;
  const unknown = states.find((state) => !known.includes(state));
  if (unknown === undefined) return states;
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
