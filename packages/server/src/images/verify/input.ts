import type { OperationInput } from '../../operations/action.ts';

/** What a check of an image needs to know. */
export interface VerifyInput extends OperationInput {
  sourceId: number;
  sourceName: string;
  sourceInode: string;
  format: 'raw' | 'qcow2' | 'iso';
  sizeBytes: number;
  /** To compare with, in lower case; null: only computed. */
  sha256: string | null;
}
