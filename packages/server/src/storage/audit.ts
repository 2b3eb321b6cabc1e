import { createHash } from 'node:crypto';
import type { AuditEntry } from './messages.ts';
import type { Store, WriteStatement } from './store.ts';

/** A row of the table. */
export interface AuditRow extends AuditEntry {
  number: number;
  at: string;
  previousHash: string;
  hash: string;
}

/** The hash before the first row. */
export const auditChainStart: string = '0'.repeat(64);

/** An audit row; it belongs in the same batch as the change. */
export function auditStatement(entry: AuditEntry): WriteStatement {
  return { audit: entry };
}

/** SHA-256 of the row and the previous hash. The JSON array keeps the boundaries of the fields. */
export function auditHash(row: Omit<AuditRow, 'hash'>): string {
  const { number, at, who, address, what, subject, result, previousHash } = row;
  return createHash('sha256')
    .update(JSON.stringify([number, at, who, address, what, subject, result, previousHash]))
    .digest('hex');
}

/** The result of a check: intact, or the first broken row. */
export type AuditChainState = { intact: true; rowCount: number } | { intact: false; brokenAtNumber: number };

const pageRows = 1000;

/** Checks the whole chain. A changed, missing or inserted row breaks it. */
export async function verifyAuditChain(store: Pick<Store, 'db'>): Promise<AuditChainState> {
  let previousHash = auditChainStart;
  let rowCount = 0;
  for (;;) {
    const query = store.db.selectFrom('audit').selectAll().where('number', '>', rowCount);
    const rows = await query.orderBy('number').limit(pageRows).execute();
    for (const row of rows) {
      const isNext = row.number === rowCount + 1 && row.previousHash === previousHash;
      if (!isNext || auditHash(row) !== row.hash) return { intact: false, brokenAtNumber: rowCount + 1 };
      previousHash = row.hash;
      rowCount += 1;
    }
    if (rows.length < pageRows) return { intact: true, rowCount };
  }
}
