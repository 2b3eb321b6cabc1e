import type { AuditList } from '@wcc/api';
import { auditQuery, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Store } from '../../storage/store.ts';
import { assertRequestRight } from '../credentials.ts';
import { parseQuery } from '../parse.ts';

/** The audit record, newest first, for administrators. */
export function registerAudit(app: FastifyInstance, { store }: { store: Store }): void {
  app.get(routes.audit(), async (request): Promise<AuditList> => {
    assertRequestRight(request, 'audit.read');
    const { cursor, limit, who, what } = parseQuery(auditQuery, request);
    const numbers = numbersOf(store.db, {
      who,
      what,
      before: Number(cursor ?? Number.MAX_SAFE_INTEGER),
      limit,
    });
    const rows = await store.db
      .selectFrom('audit')
      .select(['number', 'at', 'who', 'address', 'what', 'subject', 'result'])
      .where('number', 'in', numbers)
      .orderBy('number', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return last === undefined ? { items } : { items, next: String(last.number) };
  });
}

interface AuditPage {
  who: string | undefined;
  what: string | undefined;
  before: number;
  limit: number;
}

/**
 * The numbers of at least one page. The record has few different words and only grows, so a filter first finds its
 * words, and then the newest rows of each word. Both read an index, and neither depends on the number of rows.
 */
function numbersOf(db: Store['db'], { who, what, before, limit }: AuditPage) {
  const byWho = who === undefined ? sql`` : sql`who = ${who} and`;
  const page = sql`order by number desc limit ${limit + 1}`;
  if (who === undefined && what === undefined)
    return sql<number>`(select number from audit where number < ${before} ${page})`;
  const next = (than: RawBuilder<unknown>) =>
    sql`(select min(what) from audit where ${byWho} what > ${than})`;
  return sql<number>`(
    with recursive words (what) as (
      select ${next(sql`''`)} union all select ${next(sql`words.what`)} from words where words.what is not null
    )
    select newest.number from words cross join audit as newest
    where ${matches(what ?? '')} and newest.number in (
      select number from audit where ${byWho} what = words.what and number < ${before} ${page}
    )
  )`;
}

/** Words of earlier releases, old to new. Audit rows are never rewritten, so a filter finds both. */
const renamed: Readonly<Record<string, string>> = { 'remains.delete': 'orphan.delete' };

/** Words that begin with the text, and the earlier or later names of such a word. */
function matches(text: string): RawBuilder<unknown> {
  const others = Object.entries(renamed)
    .filter((pair) => pair.some((word) => word.startsWith(text)))
    .flat();
  // A range instead of LIKE: the text is not a pattern.
  const begins = sql`(words.what >= ${text} and words.what < ${`${text}\u{10ffff}`})`;
  return others.length === 0 ? begins : sql`(${begins} or words.what in (${sql.join(others)}))`;
}
