import { closeSync, openSync } from 'node:fs';
import LibsqlDatabase from 'libsql';
import { backUp } from './backup.ts';
import { checkDatabase, isSmall } from './check.ts';
import { StoreError } from './errors.ts';
import type { Connection } from './connection-type.ts';
import type { SchemaUpdate } from './messages.ts';
import { migrations } from './migrations.ts';
import { firstValue, readPragma, wrapDatabase } from './wrap-database.ts';

/** SQLite's application_id of wcc databases: "wcc1". */
const applicationId = 0x77_63_63_31;
/** SQLite shortens the write-ahead log to this size when it starts the log again. */
const maxIdleWalBytes = 32 * 1024 ** 2;

export interface OpeningOptions {
  /** Keeps the index of the log in memory, so that a full disk does not prevent the opening. @default false */
  isExclusive?: boolean;
  /** Called before the update of a database of an earlier version, which can take minutes. @default no call */
  onUpdate?: (update: SchemaUpdate) => void;
}

/**
 * Opens the file with durable settings and brings its schema up to date.
 *
 * @throws StoreError
 */
export function openConnection(
  path: string,
  { isExclusive = false, onUpdate = () => {} }: OpeningOptions = {},
): Connection {
  // Created before SQLite does, with access for the owner only. SQLite gives -wal and -shm the same mode.
  closeSync(openSync(path, 'a', 0o600));
  const database = new LibsqlDatabase(path);
  const connection = wrapDatabase(database, { isExclusive });
  try {
    prepareFile(connection, { path, onUpdate });
  } catch (cause) {
    connection.close();
    throw cause;
  }
  return connection;
}

function prepareFile(
  connection: Connection,
  { path, onUpdate }: { path: string; onUpdate: (update: SchemaUpdate) => void },
): void {
  connection.exec('pragma busy_timeout = 2000');
  if (connection.isExclusive) connection.run('pragma locking_mode = exclusive', []);
  const owner = readPragma(connection, 'application_id');
  const version = readPragma(connection, 'user_version');
  const tables = connection.run('select count(*) as value from sqlite_master', []).rows;
  if (owner !== applicationId && Number(firstValue(tables?.[0])) > 0) throw new StoreError('store_foreign');
  if (version > migrations.length) {
    const message = `The database has schema ${version}, and this wcc knows schema ${migrations.length}. A newer version wrote it.`;
    throw new StoreError('store_newer', { message });
  }
  connection.run('pragma journal_mode = wal', []);
  connection.exec('pragma synchronous = full');
  connection.exec('pragma foreign_keys = on');
  // A large transaction, e.g. of an update, must not leave a large file for ever.
  connection.run(`pragma journal_size_limit = ${maxIdleWalBytes}`, []);
  const isOlder = version > 0 && version < migrations.length;
  if (isOlder) onUpdate({ from: version, to: migrations.length });
  if (isOlder || (version > 0 && isSmall(path))) checkDatabase(connection);
  if (isOlder) backUp(connection, { path, version });
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
