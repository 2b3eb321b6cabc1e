import type { OnError } from '@wcc/progress/server';
import type { CompiledQuery } from 'kysely';
import { Kysely } from 'kysely';
import { openChannel } from './channel.ts';
import { createWorkerDialect } from './dialect.ts';
import type { AuditEntry, BatchStatement, SqlValue, WriteResult } from './messages.ts';
import type { Database } from './schema.ts';

/** A compiled Kysely query. */
export interface Compilable {
  compile(): CompiledQuery;
}

/** One statement of a batch: a query, optionally with the number of rows that it must change, or an audit row. */
export type WriteStatement = { query: Compilable; expectRows?: number } | { audit: AuditEntry };

export type { WriteResult } from './messages.ts';

/** The database of one host. Every call may throw `StoreError`. */
export interface Store {
  /** Executes reads and builds writes; it refuses to execute a write. */
  readonly db: Kysely<Database>;
  /**
   * Writes one atomic batch: all statements in order, or none. Resolves when the batch is durable.
   * @throws StoreConflict when a statement changed another number of rows than `expectRows`
   */
  write(batch: readonly WriteStatement[]): Promise<WriteResult[]>;
  /** Finishes earlier calls, then closes. */
  close(): Promise<void>;
}

export interface StoreOptions {
  onError: OnError;
}

/**
 * Opens the database at `path` in its own worker thread. It creates or migrates the database.
 * @throws StoreError `store_newer`, `store_foreign`, `store_unopenable`
 */
export async function openStore(path: string, options: StoreOptions): Promise<Store> {
  const channel = await openChannel(path, options);
  const db = new Kysely<Database>({
    dialect: createWorkerDialect((sql, parameters) => channel.read(sql, parameters)),
  });
  return {
    db,
    async write(batch) {
      return channel.write(batch.map(compileStatement));
    },
    close: () => channel.close(),
  };
}

function compileStatement(statement: WriteStatement): BatchStatement {
  if ('audit' in statement) return statement;
  const { sql, parameters } = statement.query.compile();
  return { sql, parameters: parameters as readonly SqlValue[], expectRows: statement.expectRows ?? null };
}
