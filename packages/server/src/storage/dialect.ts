import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { StoreError } from './errors.ts';
import type { SqlValue } from './messages.ts';

type Read = (sql: string, parameters: readonly SqlValue[]) => Promise<unknown[]>;

/** Kysely compiles queries, the worker executes them. Only reads are allowed; writes use `Store.write`. */
export function createWorkerDialect(read: Read): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => createDriver(read),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

function createDriver(read: Read): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      if (!isRead(query))
        throw misuse('Writes go through Store.write(), so that they are grouped and atomic.');
      return { rows: (await read(query.sql, query.parameters as readonly SqlValue[])) as Row[] };
    },
    streamQuery() {
      throw misuse('Rows are not streamed; page instead.');
    },
  };
  const refuse = async (): Promise<void> => {
    throw misuse('Transactions are batches: use Store.write().');
  };
  const nothing = async (): Promise<void> => {};
  return {
    init: nothing,
    acquireConnection: async () => connection,
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    releaseConnection: nothing,
    destroy: nothing,
  };
}

function isRead(query: CompiledQuery): boolean {
  return query.query.kind === 'SelectQueryNode' || /^\s*(select|with|explain|pragma)\b/i.test(query.sql);
}

function misuse(message: string): StoreError {
  return new StoreError('store_misuse', { message });
}
