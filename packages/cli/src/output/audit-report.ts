import type { AuditProblem, AuditVerification } from '@wcc/api';
import { facts } from './human.ts';

/** What `@wcc/server/audit` answers. */
export type CheckedRecord = AuditVerification & {
  dataDir: string;
  /** False: the data directory has no key, so no signature was checked. */
  hasKey: boolean;
};

const problemTexts: Readonly<Record<AuditProblem['kind'], string>> = {
  row_missing: 'missing, although later rows exist',
  row_changed: 'changed: the hash does not match the content',
  chain_broken: 'replaced: it does not continue the row before it',
  rewritten: 'rewritten: the chain was computed again, and it differs from the signed anchor',
  tail_missing: 'signed, but missing at the end of the record',
  anchor_forged: 'has an anchor whose signature is wrong',
};

/** The text of `wcc audit verify`. */
export function auditReport(checked: CheckedRecord): string {
  const { problems, rowCount } = checked;
  const about = facts([
    ['data directory', checked.dataDir],
    ['rows', String(rowCount)],
    ['anchors', anchorsText(checked)],
    ['not anchored', unanchoredText(checked)],
    ['other keys', otherKeysText(checked)],
    ['restored', checked.restores.map(({ number, at }) => `at row ${number}, ${at}`).join('; ')],
    ['result', checked.intact ? 'intact' : 'NOT INTACT'],
  ]);
  return about + problems.map(problemLine).join('') + restoreNote(checked);
}

function anchorsText({ anchorCount, firstAnchor, lastAnchor }: CheckedRecord): string {
  if (firstAnchor === null || lastAnchor === null) return 'none';
  const since = `rows 1 to ${firstAnchor.number} signed at ${firstAnchor.at}`;
  return anchorCount === 1
    ? since
    : `${anchorCount}: ${since}, … rows 1 to ${lastAnchor.number} signed at ${lastAnchor.at}`;
}

/** Rows that nothing signed, and rows that existed before the first signature. */
function unanchoredText({ rowCount, firstAnchor, lastAnchor }: CheckedRecord): string {
  if (firstAnchor === null || lastAnchor === null) return rowCount === 0 ? '' : 'all rows';
  const after = rowCount - lastAnchor.number;
  const before = `changes of rows 1 to ${firstAnchor.number} before ${firstAnchor.at}`;
  return after > 0 ? `${before}; ${after} newest rows` : before;
}

function otherKeysText({ otherKeyCount, hasKey }: CheckedRecord): string {
  if (otherKeyCount === 0) return '';
  const why = hasKey ? 'signed with another key than secrets.key' : 'secrets.key is missing';
  return `${otherKeyCount} anchors were compared, but their signature was not checked: ${why}`;
}

function problemLine({ kind, number, upTo }: AuditProblem): string {
  const rows = number === upTo ? `row ${number}` : `rows ${number} to ${upTo}`;
  return `${rows}: ${problemTexts[kind]}\n`;
}

function restoreNote({ restores }: CheckedRecord): string {
  return restores.length === 0
    ? ''
    : 'An earlier state of the database was put back. If no administrator restored a backup then, rows were removed.\n';
}
