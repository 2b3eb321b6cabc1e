import type { AuditList } from '@wcc/api';
import { auditQuery, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
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
      // A range instead of LIKE: what is typed is text, not a pattern.
      .$if(what !== undefined, (query) =>
        query.where('what', '>=', what ?? '').where('what', '<', `${what}\u{10ffff}`),
      )
      .$if(cursor !== undefined, (query) => query.where('number', '<', Number(cursor)))
      .orderBy('number', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return last === undefined ? { items } : { items, next: String(last.number) };
  });
}
