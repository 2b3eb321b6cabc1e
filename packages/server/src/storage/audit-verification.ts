import type { AuditProblem, AuditVerification } from '@wcc/api';
import { auditChainStart, auditHash } from './audit.ts';
import type { AuditRow } from './audit.ts';
import type { AnchorKey, AuditAnchor } from './audit-anchor.ts';

/** The word of the row that the server writes when it finds that an earlier database was put back. */
export const restoredWord = 'audit.restored';

const maxProblems = 100;

/** Checks the audit record: takes all rows in order, in pages, and compares them with the anchors. */
export interface AuditVerifier {
  take(rows: readonly AuditRow[]): void;
  finish(): AuditVerification;
}

/** @param key null: the signatures cannot be checked, only compared */
export function createAuditVerifier(anchors: readonly AuditAnchor[], key: AnchorKey | null): AuditVerifier {
  const wanted = new Set(anchors.map(({ number }) => number));
  const hashes = new Map<number, string>();
  const restores: { number: number; at: string }[] = [];
  const problems: AuditProblem[] = [];
  let rowCount = 0;
  let previous = { number: 0, hash: auditChainStart };
  return {
    take(rows) {
      for (const row of rows) {
        const problem = findRowProblem(row, previous);
        if (problem !== null) problems.push(problem);
        if (wanted.has(row.number)) hashes.set(row.number, row.hash);
        if (row.what.startsWith(`${restoredWord} `)) restores.push({ number: row.number, at: row.at });
        previous = { number: row.number, hash: row.hash };
        rowCount += 1;
      }
    },
    finish() {
      const compared = compareAnchors(anchors, { key, hashes, restores, lastNumber: previous.number });
      const all = [...problems, ...compared.problems].toSorted((one, other) => one.number - other.number);
      return {
        intact: all.length === 0,
        rowCount,
        ...compared,
        restores,
        problems: all.slice(0, maxProblems),
      };
    },
  };
}

function findRowProblem(row: AuditRow, previous: { number: number; hash: string }): AuditProblem | null {
  const { number } = row;
  const expected = previous.number + 1;
  if (number !== expected) return { kind: 'row_missing', number: expected, upTo: number - 1 };
  if (auditHash(row) !== row.hash) return { kind: 'row_changed', number, upTo: number };
  return row.previousHash === previous.hash ? null : { kind: 'chain_broken', number, upTo: number };
}

interface Record {
  key: AnchorKey | null;
  /** Hashes of the anchored rows that exist. */
  hashes: ReadonlyMap<number, string>;
  restores: readonly { number: number; at: string }[];
  lastNumber: number;
}

type Compared = Pick<
  AuditVerification,
  'anchorCount' | 'firstAnchor' | 'lastAnchor' | 'otherKeyCount' | 'problems'
>;

function compareAnchors(anchors: readonly AuditAnchor[], record: Record): Compared {
  const problems: AuditProblem[] = [];
  const matching: AuditAnchor[] = [];
  let otherKeyCount = 0;
  let trustedUpTo = 0;
  let missingUpTo = 0;
  let isRewritten = false;
  for (const anchor of anchors.toSorted((one, other) => one.number - other.number)) {
    const { number } = anchor;
    const isGenuine = record.key?.check(anchor) ?? null;
    if (isGenuine === false) {
      problems.push({ kind: 'anchor_forged', number, upTo: number });
      continue;
    }
    if (isGenuine === null) otherKeyCount += 1;
    const isReplaced = record.restores.some((one) => one.number <= number && one.at >= anchor.at);
    if (number > record.lastNumber) {
      if (!isReplaced) missingUpTo = number;
    } else if (record.hashes.get(number) === anchor.hash) {
      trustedUpTo = number;
      isRewritten = false;
      matching.push(anchor);
    } else if (!isReplaced && !isRewritten) {
      // Later anchors differ too, because each hash covers all rows before it.
      isRewritten = true;
      problems.push({ kind: 'rewritten', number: trustedUpTo + 1, upTo: number });
    }
  }
  if (missingUpTo > 0)
    problems.push({ kind: 'tail_missing', number: record.lastNumber + 1, upTo: missingUpTo });
  return {
    anchorCount: matching.length,
    firstAnchor: shown(matching[0]),
    lastAnchor: shown(matching.at(-1)),
    otherKeyCount,
    problems,
  };
}

function shown(anchor: AuditAnchor | undefined): { number: number; at: string } | null {
  return anchor ? { number: anchor.number, at: anchor.at } : null;
}
