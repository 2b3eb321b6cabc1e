import { escapeInvisible } from '@wcc/api/names';
import type { AuditRow } from './audit.ts';
import { auditChainStart, auditHash } from './audit.ts';
import type { Connection } from './connection-type.ts';
import { StoreConflict, wantsSpace } from './errors.ts';
import type { AuditEntry, BatchStatement, WriteResult } from './messages.ts';

/** The result of one batch of a group. */
export type BatchOutcome = { results: WriteResult[] } | { error: unknown };

/** SQLite rolled back the whole transaction, so no batch of the group was written. */
export class TransactionLost extends Error {
  override readonly name = 'GroupLost';
}

/**
 * Writes many batches with one fsync. Each batch is a SAVEPOINT in one transaction, so a failed batch rolls back
 * alone. When the commit fails, all batches fail with its error.
 */
export function commitGroup(
  connection: Connection,
  batches: readonly (readonly BatchStatement[])[],
): BatchOutcome[] {
  try {
    // Immediate, because a lock at the first write could still fail in the middle.
    connection.exec('begin immediate');
    const outcomes = batches.map((batch) => runBatch(connection, batch));
    connection.exec('commit');
    return outcomes;
  } catch (error) {
    if (connection.isInTransaction()) connection.exec('rollback');
    const reason = error instanceof TransactionLost ? error.cause : error;
    return batches.map(() => ({ error: reason }));
  }
}

/** Runs one batch inside an open transaction. @throws TransactionLost */
export function runBatch(connection: Connection, batch: readonly BatchStatement[]): BatchOutcome {
  connection.exec('savepoint batch');
  try {
    const results = batch.map((statement) => runStatement(connection, statement));
    connection.exec('release batch');
    return { results };
  } catch (error) {
    // For want of space the whole group fails, so that it can be repeated as a whole.
    if (!connection.isInTransaction() || wantsSpace(error) !== false)
      throw new TransactionLost('SQLite rolled the transaction back', { cause: error });
    connection.exec('rollback to batch');
    connection.exec('release batch');
    return { error };
  }
}

function runStatement(connection: Connection, statement: BatchStatement): WriteResult {
  if ('audit' in statement) return insertAudit(connection, statement.audit);
  const { sql, parameters, expectRows } = statement;
  const result = connection.run(sql, parameters);
  if (expectRows !== null && result.changes !== expectRows) {
    throw new StoreConflict(`Expected ${expectRows} rows, touched ${result.changes}.`);
  }
  return result;
}

/** Every text of the record is one line without characters that cannot be seen, wherever it came from. */
function escapeEntry({ who, address, what, subject, result }: AuditEntry): AuditEntry {
  return {
    who: escapeInvisible(who),
    address: escapeInvisible(address),
    what: escapeInvisible(what),
    subject: subject === null ? null : escapeInvisible(subject),
    result: escapeInvisible(result),
  };
}

/** Chains the audit row. The only writer knows the previous row. */
function insertAudit(connection: Connection, entry: AuditEntry): WriteResult {
  const last = connection.run('select number, hash from audit order by number desc limit 1', []).rows?.[0] as
    Pick<AuditRow, 'number' | 'hash'> | undefined;
  const row = {
    number: (last?.number ?? 0) + 1,
    at: new Date().toISOString(),
    ...escapeEntry(entry),
    previousHash: last?.hash ?? auditChainStart,
  };
  return connection.run(
    `insert into audit (number, at, who, address, what, subject, result, previousHash, hash)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      row.number,
      row.at,
      row.who,
      row.address,
      row.what,
      row.subject,
      row.result,
      row.previousHash,
      auditHash(row),
    ],
  );
}
