import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreMissing } from '../files/errors.ts';
import { replaceFile } from '../files/replace-file.ts';
import type { AuditAnchor } from './audit-anchor.ts';
import { createAnchorKey, findAnchors, formatAnchor } from './audit-anchor.ts';
import { auditStatement, readLastAuditRow } from './audit.ts';
import { restoredWord } from './audit-verification.ts';
import { readOrCreateSecretsKey } from './secret-box.ts';
import type { Store } from './store.ts';

/** The newest anchor, outside the database: who changes only the database cannot change it. */
const anchorFileName = 'audit.anchor';

/** Signs the last row of the audit record from time to time. */
export interface AuditAnchoring {
  /** Signs the last row. Writes nothing when that row is signed already. */
  anchor(): Promise<void>;
}

export interface AnchoringDeps {
  store: Store;
  dataDir: string;
  /** Writes the anchor to the log. A log on another host proves the record even against the owner of this host. */
  log: (anchor: string) => void;
  /** The record does not contain the row that was signed last. */
  onRestored: (anchor: AuditAnchor) => void;
}

/**
 * Compares the record with the newest known anchor. If an earlier state of the database was put back, a row of the
 * record says so, because its later rows contradict the earlier anchors.
 */
export async function startAuditAnchoring(deps: AnchoringDeps): Promise<AuditAnchoring> {
  const { store, dataDir } = deps;
  const key = createAnchorKey(await readOrCreateSecretsKey(dataDir));
  const [known] = await readAnchorFile(dataDir);
  if (known !== undefined && !(await isInRecord(store, known))) {
    deps.onRestored(known);
    const what = `${restoredWord} ${known.number}`;
    await store.write([auditStatement({ who: 'wcc', address: 'wcc', what, subject: null, result: 'ok' })]);
  }
  // The key is compared too: a new key signs the record again.
  let signed = known?.keyId === key.id ? known.number : 0;
  return {
    async anchor() {
      const last = await readLastAuditRow(store);
      if (last === undefined || last.number === signed) return;
      await writeAnchor(deps, key.sign(last, new Date().toISOString()));
      signed = last.number;
    },
  };
}

/** Empty without a file. */
export async function readAnchorFile(dataDir: string): Promise<AuditAnchor[]> {
  const text = await readFile(join(dataDir, anchorFileName), 'utf8').catch(ignoreMissing);
  return findAnchors(text ?? '');
}

async function isInRecord({ db }: Store, { number, hash }: AuditAnchor): Promise<boolean> {
  const query = db.selectFrom('audit').select('hash').where('number', '=', number);
  return (await query.executeTakeFirst())?.hash === hash;
}

async function writeAnchor({ store, dataDir, log }: AnchoringDeps, anchor: AuditAnchor): Promise<void> {
  const insert = store.db.insertInto('auditAnchors').values(anchor);
  await store.write([{ query: insert.onConflict((conflict) => conflict.doNothing()) }]);
  const text = formatAnchor(anchor);
  await replaceFile(join(dataDir, anchorFileName), `${text}\n`);
  log(text);
}
