import { closeSync, openSync } from 'node:fs';
import LibsqlDatabase from 'libsql';
import { StoreError } from './errors.ts';
import type { SqlValue, WriteResult } from './messages.ts';
import { migrations } from './migrations.ts';

/** The calls that wcc needs from a SQLite library; `node:sqlite` could replace it. */
export interface Connection {
  /** Rows of a select, or of a `returning` clause with the number of changes. */
  run(sql: string, parameters: readonly SqlValue[]): WriteResult;
  /** Runs a statement without parameters and rows: transactions, pragmas, schema. */
  exec(sql: string): void;
  close(): void;
  /** False after SQLite rolled back (disk full, input/output error). */
  isInTransaction(): boolean;
}

/** SQLite's application_id of wcc databases: "wcc1". */
const applicationId = 0x77_63_63_31;
const statementCacheSize = 400;

/** Opens the file with durable settings and brings its schema up to date. */
export function openConnection(path: string): Connection {
  // Created before SQLite does, with access for the owner only. SQLite gives -wal and -shm the same mode.
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
    const message = `The database has schema ${version}, and this wcc knows schema ${migrations.length}. A newer version wrote it.`;
    throw new StoreError('store_newer', { message });
  }
  connection.run('pragma journal_mode = wal', []);
  connection.exec('pragma synchronous = full');
  connection.exec('pragma foreign_keys = on');
  migrate(connection, version);
}

/** Each step and its version are one transaction, so a crash leaves no partial step. */
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
