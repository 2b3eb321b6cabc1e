import { join } from 'node:path';
import type LibsqlDatabase from 'libsql';
import type { AuditVerification } from '@wcc/api';
import type { AuditAnchor } from '../audit-anchor.ts';
import { createAnchorKey, formatAnchor } from '../audit-anchor.ts';
import { readAnchorFile } from '../audit-anchoring.ts';
import { createAuditVerifier } from '../audit-verification.ts';
import type { AuditRow } from '../audit.ts';
import { openReadOnly } from './open-read-only.ts';
import { readSecretsKey } from '../secret-box.ts';

export interface VerifyRecordOptions {
  /** Anchors besides those of the data directory. @default none */
  anchors?: readonly AuditAnchor[];
  /** Called before each page of rows; it may throw to end the check. @default no call */
  onPage?: () => void;
}

/**
 * Checks the audit record of a data directory, also of an earlier release and while a server runs. It changes
 * nothing. @throws an error with the code `ENOENT` or `EACCES` if a file cannot be read
 */
export async function verifyRecord(
  dataDir: string,
  { anchors = [], onPage = () => {} }: VerifyRecordOptions = {},
): Promise<AuditVerification & { hasKey: boolean }> {
  const known = [...(await readAnchorFile(dataDir)), ...anchors];
  const secretsKey = await readSecretsKey(dataDir);
  const database = openReadOnly(join(dataDir, 'wcc.sqlite'));
  try {
    known.push(...readStoredAnchors(database));
    const verifier = createAuditVerifier(withoutRepeats(known), secretsKey && createAnchorKey(secretsKey));
    for (const rows of readPages(database)) {
      onPage();
      verifier.take(rows);
    }
    return { ...verifier.finish(), hasKey: secretsKey !== null };
  } finally {
    database.close();
  }
}

/** Databases before migration 8 have no anchors. */
function readStoredAnchors(database: LibsqlDatabase.Database): AuditAnchor[] {
  const tables = database.prepare(`select name from sqlite_master where name = 'auditAnchors'`).all();
  if (tables.length === 0) return [];
  return database.prepare('select number, keyId, at, hash, mac from auditAnchors').all() as AuditAnchor[];
}

function withoutRepeats(anchors: readonly AuditAnchor[]): AuditAnchor[] {
  return [...new Map(anchors.map((anchor) => [formatAnchor(anchor), anchor])).values()];
}

function* readPages(database: LibsqlDatabase.Database): Generator<AuditRow[]> {
  const page = database.prepare('select * from audit where number > ? order by number limit 1000');
  for (let last = 0; ;) {
    const rows = page.all([last]) as AuditRow[];
    yield rows;
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end.number;
  }
}
