import { auditStatement } from '../storage/audit.ts';
import type { WriteStatement } from '../storage/store.ts';
import { auditName } from './principal.ts';
import type { Principal } from './principal.ts';

type SubjectKind = 'user' | 'token' | 'operation' | 'image' | 'vm' | 'pool' | 'orphan' | 'origin';

/** What an audit row is about, e.g. `image:100`. */
export type AuditSubject = `${SubjectKind}:${string | number}`;

/** The audit row of a principal's successful change. It belongs in the same batch as the change. */
export function audit(principal: Principal, what: string, subject: AuditSubject): WriteStatement {
  const { address } = principal;
  return auditStatement({ who: auditName(principal), address, what, subject, result: 'ok' });
}
