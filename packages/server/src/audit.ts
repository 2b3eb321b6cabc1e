import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import LibsqlDatabase from 'libsql';
import type { AuditVerification } from '@wcc/api';
import { defaultDataDir } from './config/data-dir.ts';
import { environmentName } from './config/options.ts';
import type { AuditAnchor } from './storage/audit-anchor.ts';
import { createAnchorKey, findAnchors, formatAnchor } from './storage/audit-anchor.ts';
import { readAnchorFile } from './storage/audit-anchoring.ts';
import { createAuditVerifier } from './storage/audit-verification.ts';
import type { AuditRow } from './storage/audit.ts';
import { readSecretsKey } from './storage/secret-box.ts';

export { isAnchor } from './storage/audit-anchor.ts';

export interface VerifyAuditOptions {
  /** @default as `wcc serve`: `WCC_DATA_DIR`, `$XDG_STATE_HOME/wcc` or `~/.local/state/wcc` */
  dataDir: string | null;
  environment: Readonly<Record<string, string | undefined>>;
  /** Texts with further anchors, e.g. lines of the server's log. */
  anchorTexts: AsyncIterable<string> | Iterable<string>;
}

/**
 * Checks the audit record of a data directory, also of an earlier release and while a server runs. It changes
 * nothing. @throws an error with the code `ENOENT` or `EACCES` if the database cannot be read
 */
export async function verifyAudit(
  options: VerifyAuditOptions,
): Promise<AuditVerification & { dataDir: string; hasKey: boolean }> {
  const { environment } = options;
  const named = options.dataDir ?? environment[environmentName('data-dir')];
  const dataDir = resolve(named ?? defaultDataDir(environment));
  const path = join(dataDir, 'wcc.sqlite');
  await access(path);
  const anchors = await readAnchorFile(dataDir);
  for await (const text of options.anchorTexts) anchors.push(...findAnchors(text));
  const secretsKey = await readSecretsKey(dataDir);
  const database = new LibsqlDatabase(path, { readonly: true });
  try {
    anchors.push(...readStoredAnchors(database));
    const verifier = createAuditVerifier(withoutRepeats(anchors), secretsKey && createAnchorKey(secretsKey));
    for (const rows of readPages(database)) verifier.take(rows);
    return { ...verifier.finish(), dataDir, hasKey: secretsKey !== null };
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
