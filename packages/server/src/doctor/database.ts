import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '../files/errors.ts';
import { sqliteCodeOf } from '../storage/errors.ts';
import { openReadOnly } from '../storage/inspection/open-read-only.ts';
import { startCheck } from '../storage/inspection/start-check.ts';
import { verifyRecord } from '../storage/inspection/verify-record.ts';
import type { Finding } from './finding.ts';
import { finding, reasonOf } from './finding.ts';
import type { Host } from './host.ts';

const checkLimitMs = 12_000;
const auditLimitMs = 8_000;

export function databasePath({ settings }: Host): string {
  return join(settings.dataDir, 'wcc.sqlite');
}

export async function checkDatabase(host: Host): Promise<Finding> {
  const path = databasePath(host);
  const facts = await findDatabase(path);
  if ('code' in facts) return facts;
  const { sizeBytes } = facts;
  // The check in another process cannot say why it could not read the database.
  const unreadable = whyUnreadable(path);
  if (unreadable !== null) return unreadable;
  const { state, problem } = await startCheck(path, { limitMs: checkLimitMs }).result;
  if (state === 'damaged') return finding('database_damaged', { reason: problem });
  if (state === 'unknown') return finding('database_slow', { sizeBytes, limitMs: checkLimitMs });
  return finding('database_sound', { sizeBytes });
}

async function findDatabase(path: string): Promise<Finding | { sizeBytes: number }> {
  try {
    return { sizeBytes: (await stat(path)).size };
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return finding('database_missing', { path });
    return finding('database_unreadable', { reason: reasonOf(error) });
  }
}

function whyUnreadable(path: string): Finding | null {
  try {
    const database = openReadOnly(path);
    try {
      database.prepare('select count(*) from sqlite_master').all();
      return null;
    } finally {
      database.close();
    }
  } catch (error) {
    return databaseFailure(error);
  }
}

function databaseFailure(error: unknown): Finding {
  const code = sqliteCodeOf(error) ?? '';
  if (code.startsWith('SQLITE_BUSY')) return finding('database_busy');
  const isDamaged = code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
  return finding(isDamaged ? 'database_damaged' : 'database_unreadable', { reason: reasonOf(error) });
}

class TooLong extends Error {}

export async function checkAudit(host: Host): Promise<Finding> {
  const path = databasePath(host);
  const facts = await findDatabase(path);
  if ('code' in facts) return facts;
  const endsAt = performance.now() + auditLimitMs;
  try {
    const checked = await verifyRecord(host.settings.dataDir, {
      onPage() {
        if (performance.now() > endsAt) throw new TooLong();
      },
    });
    const [first] = checked.problems;
    if (first !== undefined) return finding('audit_broken', { row: first.number, problem: first.kind });
    return finding('audit_intact', { rows: checked.rowCount, anchors: checked.anchorCount });
  } catch (error) {
    if (error instanceof TooLong) return finding('audit_slow', { limitMs: auditLimitMs });
    return databaseFailure(error);
  }
}

/** What the database knows about its pools; null if it cannot be read. */
export function readPools(host: Host): { installationId: string | null; poolPaths: string[] } | null {
  return readOne(host, (all) => {
    const [setting] = all("select value from settings where key = 'installationId'");
    const pools = all('select path from pools');
    const id = setting?.['value'];
    return {
      installationId: typeof id === 'string' ? id : null,
      poolPaths: pools.map(({ path }) => String(path)),
    };
  });
}

/** The time of the newest row of the audit record; null if there is none. */
export function readNewestTime(host: Host): string | null {
  return readOne(host, (all) => {
    const at = all('select at from audit order by number desc limit 1')[0]?.['at'];
    return typeof at === 'string' ? at : null;
  });
}

type Row = Record<string, unknown>;

function readOne<Result>(host: Host, read: (all: (sql: string) => Row[]) => Result): Result | null {
  try {
    const database = openReadOnly(databasePath(host));
    try {
      return read((sql) => database.prepare(sql).all() as Row[]);
    } finally {
      database.close();
    }
  } catch {
    return null; // checkDatabase reports it
  }
}
