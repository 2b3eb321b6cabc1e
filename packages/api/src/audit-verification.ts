import { z } from 'zod';

/**
 * `row_missing`: rows from `number` to `upTo` do not exist, and later rows do. `row_changed`: the hash of the row does not match
 * its content. `chain_broken`: the row does not continue the row before it. `rewritten`: the chain is consistent, but
 * one of the rows from `number` to `upTo` is not the row that was signed. `tail_missing`: rows from `number` to `upTo`
 * were signed, and the record ends before them. `anchor_forged`: the signature of an anchor is wrong.
 */
export const auditProblem = z.object({
  kind: z.enum(['row_missing', 'row_changed', 'chain_broken', 'rewritten', 'tail_missing', 'anchor_forged']),
  number: z.number().describe('first row that is concerned'),
  upTo: z.number().describe('last row that is concerned'),
});
export type AuditProblem = z.infer<typeof auditProblem>;

const anchored = z.object({ number: z.number(), at: z.string() });

/** The result of a check of the audit record. */
export const auditVerification = z.object({
  intact: z.boolean(),
  rowCount: z.number(),
  anchorCount: z.number(),
  /** An anchor proves all rows up to its own since its time. */
  firstAnchor: anchored.nullable(),
  lastAnchor: anchored.nullable(),
  /** Anchors whose signature could not be checked, because the key that made them is not the current key. */
  otherKeyCount: z.number(),
  /** Rows that say that an earlier state of the database was put back. */
  restores: z.array(z.object({ number: z.number(), at: z.string() })),
  /** In the order of their numbers, at most 100. */
  problems: z.array(auditProblem),
});
export type AuditVerification = z.infer<typeof auditVerification>;
