import { z } from 'zod';

export const pool = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string().nullable().describe('null: the caller is not an administrator'),
  state: z.enum(['ready', 'unavailable']),
  stateReason: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
  totalBytes: z.number(),
  freeBytes: z.number().describe('free space without reservations and the floor of max(5 %, 2 GiB)'),
  reservedBytes: z.number(),
  fileSystem: z.string(),
  clonePossible: z.boolean().describe('the file system can share blocks'),
});
export type Pool = z.infer<typeof pool>;
export const poolList = z.object({ items: z.array(pool) });
export type PoolList = z.infer<typeof poolList>;

export const rescanResult = z.object({
  added: z.number(),
  missing: z.number(),
  returned: z.number(),
  refused: z.number(),
  /** Files that this scan skipped; the next scan checks them again. */
  skipped: z.array(z.object({ name: z.string(), reason: z.enum(['busy']) })),
});
export type RescanResult = z.infer<typeof rescanResult>;

/** A hidden file of no operation of this installation. Only administrators see and delete it. */
export const orphan = z.object({
  id: z.string(),
  partialBytes: z.number(),
  hasCheckpoint: z.boolean(),
  modifiedAt: z.iso.datetime(),
});
export const orphanList = z.object({ items: z.array(orphan) });
export type OrphanList = z.infer<typeof orphanList>;
