import type LibsqlDatabase from 'libsql';
import type { Connection } from './connection-type.ts';

const statementCacheSize = 400;

/** @param options.isExclusive see `Connection`. @default false */
export function wrapDatabase(
  database: LibsqlDatabase.Database,
  options: { isExclusive?: boolean } = {},
): Connection {
  let { isExclusive = false } = options;
  const cache = new Map<string, LibsqlDatabase.Statement>();
  function prepared(sql: string): LibsqlDatabase.Statement {
    const known = cache.get(sql);
    // Deleted and set again, so that the first key is the least recently used.
    if (known) cache.delete(sql);
    const statement = known ?? database.prepare(sql);
    cache.set(sql, statement);
    if (cache.size > statementCacheSize) cache.delete(cache.keys().next().value ?? sql);
    return statement;
  }
  return {
    run(sql, parameters) {
      const statement = prepared(sql);
      if (!statement.reader) {
        const { changes, lastInsertRowid } = statement.run([...parameters]);
        return { changes, lastInsertRowid };
      }
      const rows = statement.all([...parameters]);
      return { changes: rows.length, lastInsertRowid: 0, rows };
    },
    exec: (sql) => void database.exec(sql),
    close() {
      // SQLite keeps the file open, and its locks, as long as a statement of the connection exists.
      cache.clear();
      database.close();
    },
    isInTransaction: () => database.inTransaction,
    get isExclusive() {
      return isExclusive;
    },
    shareAgain() {
      isExclusive = false;
      // The index moves to its file only when write-ahead logging starts again.
      database.exec('pragma journal_mode = delete');
      database.exec('pragma locking_mode = normal');
      database.exec('pragma journal_mode = wal');
    },
  };
}

/** The number that a pragma has. */
export function readPragma(connection: Pick<Connection, 'run'>, name: string): number {
  return Number(firstValue(connection.run(`pragma ${name}`, []).rows?.[0]));
}

/** The first column of a row. */
export function firstValue(row: unknown): unknown {
  return Object.values((row ?? {}) as Record<string, unknown>)[0];
}
