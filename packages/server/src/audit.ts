import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { AuditVerification } from '@wcc/api';
import { defaultDataDir } from './config/data-dir.ts';
import { environmentName } from './config/options.ts';
import type { AuditAnchor } from './storage/audit-anchor.ts';
import { findAnchors } from './storage/audit-anchor.ts';
import { verifyRecord } from './storage/inspection/verify-record.ts';

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
  await access(join(dataDir, 'wcc.sqlite'));
  const anchors: AuditAnchor[] = [];
  for await (const text of options.anchorTexts) anchors.push(...findAnchors(text));
  return { ...(await verifyRecord(dataDir, { anchors })), dataDir };
}
