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

/** The newest row of the record. */
export async function readLastAuditRow(
  store: Store,
): Promise<Pick<AuditRow, 'number' | 'at' | 'hash'> | undefined> {
  const query = store.db
    .selectFrom('audit')
    .select(['number', 'at', 'hash'])
    .orderBy('number', 'desc')
    .limit(1);
  return query.executeTakeFirst();
}
