import type { AuditVerification } from '@wcc/api';
import { createAuditVerifier } from './audit-verification.ts';
import type { Store } from './store.ts';

/** Checks the chain of a store, without anchors. */
export async function verifyStored({ db }: Store): Promise<AuditVerification> {
  const verifier = createAuditVerifier([], null);
  verifier.take(await db.selectFrom('audit').selectAll().orderBy('number').execute());
  return verifier.finish();
}
