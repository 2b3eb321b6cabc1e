import LibsqlDatabase from 'libsql';
import { migrations } from '../../packages/server/src/storage/migrations.ts';

/** Tables that grow with the use of a server, so that no statement may read one of them completely. */
const growing = [
  'operations',
  'operationLog',
  'audit',
  'idempotencyKeys',
  'images',
  'sessions',
  'tokens',
  'shares',
  'grants',
  'imports',
  'operationSecrets',
];

/** Indexes of a small part of a table, which may be read completely. */
const partial = ['imagesByBase', 'tokensInForce'];

/** Indexes whose first columns select a large part of the history. Their readers stop after a page. */
const history = ['operationsByState', 'operationsByOwner', 'operationsByAction', 'operationsBySubject'];

/** Statements that need all rows of a table, and why. */
const completeReads: Readonly<Record<string, string>> = {
  'select "id" from "operations" where "action" = ? and "state" in (?, ?) and json_extract(input, \'$.poolId\') = ?':
    'the purge asks, and only for failed deletions in an unavailable pool',
  'select "operationId", "userId", "level" from "grants"': 'the start loads all grants',
};

interface PlanRow {
  id: number;
  parent: number;
  detail: string;
}

/** Explains statements as the server's SQLite runs them, in an empty database of the newest schema. */
export class QueryPlans {
  readonly #database = new LibsqlDatabase(':memory:');

  constructor() {
    for (const { statements } of migrations)
      for (const statement of statements) this.#database.exec(statement);
  }

  /** Why the statement becomes slow with a long history; empty if it does not. */
  problemsOf(sql: string): string[] {
    if (completeReads[sql] !== undefined || !/^\s*(select|with|update|delete|insert)\b/i.test(sql)) return [];
    // SQLite knows that no row matches an empty set.
    if (/ in \(\)/.test(sql)) return [];
    const plan = this.#database.prepare(`explain query plan ${sql}`).all() as PlanRow[];
    return plan.flatMap(({ detail }) => problemsOf(detail, { sql, isSorted: isSorted(plan, detail) }));
  }

  close(): void {
    this.#database.close();
  }
}

function problemsOf(detail: string, { sql, isSorted }: { sql: string; isSorted: boolean }): string[] {
  const [, verb, name = ''] = /^(SCAN|SEARCH) (\w+)/.exec(detail) ?? [];
  if (verb === undefined) return [];
  const table = tableOf(sql, name);
  const index = /INDEX (\w+)/.exec(detail)?.[1] ?? '';
  if (verb === 'SCAN' && growing.includes(table) && !partial.includes(index) && !stopsAtPage(sql, isSorted))
    return [`${detail} reads all rows`];
  if (history.includes(index) && !stopsAtPage(sql, isSorted))
    return [`${detail} reads a large part of the history`];
  return [];
}

/** Rows in the order of an index, up to a limit. */
function stopsAtPage(sql: string, isSorted: boolean): boolean {
  return /\blimit\b/i.test(sql) && !isSorted;
}

/** Whether the rows of this step are sorted afterwards, so that all of them are read. */
function isSorted(plan: readonly PlanRow[], detail: string): boolean {
  const parents = plan.filter((row) => row.detail === detail).map(({ parent }) => parent);
  return plan.some((row) => parents.includes(row.parent) && row.detail === 'USE TEMP B-TREE FOR ORDER BY');
}

/** The table behind an alias. */
function tableOf(sql: string, name: string): string {
  return new RegExp(`"?(\\w+)"? as "?${name}\\b`, 'i').exec(sql)?.[1] ?? name;
}
