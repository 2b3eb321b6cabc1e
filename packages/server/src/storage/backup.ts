import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import LibsqlDatabase from 'libsql';
import type { Connection } from './connection-type.ts';
import { StoreError } from './errors.ts';
import { freeBytesAt } from './space.ts';
import { firstValue, readPragma, wrapDatabase } from './wrap-database.ts';

/** Backups of the database, in the data directory. */
export const backupFolder = 'backups';
const kept = 2;
const marginBytes = 16 * 1024 ** 2;
const unfinished = '.unfinished';

type Source = Pick<Connection, 'run'>;

/**
 * Writes a backup before the schema changes, and keeps the last two. A backup has its name only after it was checked
 * and is durable, so a crash leaves a complete backup or none.
 *
 * @throws StoreError `store_backup_failed`; then the schema must stay as it is
 */
export function backUp(source: Source, { path, version }: { path: string; version: number }): void {
  const folder = join(dirname(path), backupFolder);
  try {
    const created = mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (created !== undefined) sync(dirname(created));
    removeUnfinished(folder);
    assertSpace(source, folder);
    const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const target = join(folder, `wcc-schema-${version}-${stamp}.sqlite`);
    const temporary = target + unfinished;
    // Created before SQLite writes it, with access for the owner only.
    writeFileSync(temporary, '', { mode: 0o600, flag: 'wx' });
    source.run('vacuum into ?', [temporary]);
    assertSame(source, temporary);
    sync(temporary);
    renameSync(temporary, target);
    sync(folder);
    removeOld(folder);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `The database needs a new schema, and its backup in ${folder} failed: ${reason}`;
    throw new StoreError('store_backup_failed', { message, cause });
  }
}

function assertSpace(source: Source, folder: string): void {
  const needs = readPragma(source, 'page_count') * readPragma(source, 'page_size') + marginBytes;
  const free = freeBytesAt(join(folder, 'x'));
  if (free !== null && free < needs) {
    const mib = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`;
    throw new Error(`it needs ${mib(needs)}, and ${mib(free)} are free.`);
  }
}

/** Opens the backup as a restore would, and compares the number of rows of every table. */
function assertSame(source: Source, path: string): void {
  const backup = wrapDatabase(new LibsqlDatabase(path));
  try {
    const check = JSON.stringify(backup.run('pragma quick_check(1)', []).rows?.map(firstValue));
    if (check !== '["ok"]') throw new Error(`the backup is damaged: ${check}`);
    const [expected, found] = [countRows(source), countRows(backup)];
    if (expected !== found) throw new Error(`the backup differs: ${found} instead of ${expected}`);
  } finally {
    backup.close();
  }
}

function countRows(source: Source): string {
  const tables =
    source.run("select name from sqlite_master where type = 'table' order by name", []).rows ?? [];
  const counts = tables.map((table) => {
    const name = String(firstValue(table));
    const count = source.run(`select count(*) as value from "${name}"`, []).rows?.[0];
    return `${name} ${Number(firstValue(count))}`;
  });
  return [`schema ${readPragma(source, 'user_version')}`, ...counts].join(', ');
}

function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.includes(unfinished)) rmSync(join(folder, name), { force: true });
  }
}

function removeOld(folder: string): void {
  const backups = readdirSync(folder)
    .filter((name) => /^wcc-schema-\d+-.*\.sqlite$/.test(name))
    .map((name) => ({ path: join(folder, name), atMs: statSync(join(folder, name)).mtimeMs }))
    .toSorted((one, other) => other.atMs - one.atMs);
  for (const { path } of backups.slice(kept)) rmSync(path, { force: true });
}

function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
