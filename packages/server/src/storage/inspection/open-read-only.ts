import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import LibsqlDatabase from 'libsql';

/**
 * Opens a database to read it, and changes nothing on the disk. Without its `immutable`, SQLite creates an empty log
 * and an index beside a database that no program uses.
 */
export function openReadOnly(path: string): LibsqlDatabase.Database {
  return new LibsqlDatabase(isInUse(path) ? path : `${pathToFileURL(path).href}?immutable=1`, {
    readonly: true,
  });
}

/** Programs that use the database have its index. A log with content belongs to the database, also after a crash. */
function isInUse(path: string): boolean {
  const index = statSync(`${path}-shm`, { throwIfNoEntry: false });
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  return index !== undefined || (log?.size ?? 0) > 0;
}
