import { closeSync, openSync } from 'node:fs';
import LibsqlDatabase from 'libsql';
import { StoreError } from './errors.ts';
import type { SqlValue, WriteResult } from './messages.ts';
import { migrations } from './migrations.ts';

/** The port to the SQLite library: three calls, so that `node:sqlite` can take its place some day. */
export interface Connection {
  /** Rows of a select, or of a `returning` clause with their count as changes. */
  run(sql: string, parameters: readonly SqlValue[]): WriteResult;
  /** A statement without parameters and rows: transactions, pragmas, schema. */
  exec(sql: string): void;
  close(): void;
  /** False after SQLite itself rolled back (disk full, input/output error). */
  isInTransaction(): boolean;
}

/** "wcc1" as SQLite's application_id tells our files from others'. */
const applicationId = 0x77_63_63_31;
const statementCacheSize = 400;

/** Opens the file with durable settings and brings its schema up to date. */
export function openConnection(path: string): Connection {
  // Made before SQLite can make it: nobody else may read password hashes. Its -wal and -shm files follow.
  closeSync(openSync(path, 'a', 0o600));
  const database = new LibsqlDatabase(path);
  const connection = wrap(database);
  try {
    prepareFile(connection);
  } catch (cause) {
    connection.close();
    throw cause;
  }
  return connection;
}

function wrap(database: LibsqlDatabase.Database): Connection {
  const cache = new Map<string, LibsqlDatabase.Statement>();
  function prepared(sql: string): LibsqlDatabase.Statement {
    const known = cache.get(sql);
    // Deleted and set again, so that the first key is the one longest unused.
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
    close: () => void database.close(),
    isInTransaction: () => database.inTransaction,
  };
}

function prepareFile(connection: Connection): void {
  connection.exec('pragma busy_timeout = 2000');
  const owner = pragma(connection, 'application_id');
  const version = pragma(connection, 'user_version');
  const tables = connection.run('select count(*) as value from sqlite_master', []).rows;
  if (owner !== applicationId && Number(first(tables)) > 0) throw new StoreError('store_foreign');
  if (version > migrations.length) {
    const message = `The database has schema ${version}, this wcc knows ${migrations.length}: it was written by a newer version.`;
    throw new StoreError('store_newer', { message });
  }
  connection.run('pragma journal_mode = wal', []);
  connection.exec('pragma synchronous = full');
  connection.exec('pragma foreign_keys = on');
  migrate(connection, version);
}

/** Each step is one transaction together with its version: a crash in between leaves the step undone. */
function migrate(connection: Connection, from: number): void {
  for (const [index, migration] of migrations.entries()) {
    if (index < from) continue;
    connection.exec('begin immediate');
    for (const statement of migration.statements) connection.exec(statement);
    connection.exec(`pragma application_id = ${applicationId}`);
    connection.exec(`pragma user_version = ${index + 1}`);
    connection.exec('commit');
  }
}

function pragma(connection: Connection, name: string): number {
  return Number(first(connection.run(`pragma ${name}`, []).rows));
}

function first(rows: unknown[] | undefined): unknown {
  return Object.values((rows?.[0] ?? {}) as Record<string, unknown>)[0];
}
