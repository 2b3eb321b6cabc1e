import type { AuditList } from '@wcc/api';
import { auditQuery, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Database } from '../../storage/schema.ts';
import type { Store } from '../../storage/store.ts';
import { assertRequestRight } from '../credentials.ts';
import { parseQuery } from '../parse.ts';

/** The audit record, newest first, for administrators. */
export function registerAudit(app: FastifyInstance, { store }: { store: Store }): void {
  app.get(routes.audit(), async (request): Promise<AuditList> => {
    assertRequestRight(request, 'audit.read');
    const { cursor, limit, who, what } = parseQuery(auditQuery, request);
    const rows = await store.db
      .selectFrom('audit')
      .select(['number', 'at', 'who', 'address', 'what', 'subject', 'result'])
      .$if(who !== undefined, (query) => query.where('who', '=', who ?? ''))
      .$if(what !== undefined, (query) => query.where((row) => matches(row, what ?? '')))
      .$if(cursor !== undefined, (query) => query.where('number', '<', Number(cursor)))
      .orderBy('number', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return last === undefined ? { items } : { items, next: String(last.number) };
  });
}

/** Words of earlier releases, old to new. Audit rows are never rewritten, so a filter finds both. */
const renamed: Readonly<Record<string, string>> = { 'remains.delete': 'orphan.delete' };

/** Rows whose `what` begins with the text, or with the earlier or later name of such a word. */
function matches({ eb }: ExpressionBuilder<Database, 'audit'>, what: string): Expression<SqlBool> {
  const others = Object.entries(renamed)
    .filter((pair) => pair.some((word) => word.startsWith(what)))
    .flat();
  // A range instead of LIKE: the text is not a pattern.
  const begins = eb.and([eb('what', '>=', what), eb('what', '<', `${what}\u{10ffff}`)]);
  return others.length === 0 ? begins : eb.or([begins, eb('what', 'in', others)]);
}
