import type { OperationInput } from '../../operations/action.ts';

/** What a deletion needs to know to run, and to go on after a restart. */
export interface DeleteInput extends OperationInput {
  sourceId: number;
  sourceName: string;
  /** Of the file that is to go; null: it was missing already, only its record goes. */
  file: { inode: string; sizeBytes: number } | null;
}
