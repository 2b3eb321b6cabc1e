import type { ImageFormat } from '@wcc/api';
import type { OperationInput } from '../../operations/action.ts';

/** What an import needs to know to run, and to go on after a restart. */
export interface ImportInput extends OperationInput {
  /** Without its query: that may hold a signature, and stays in memory only. */
  url: string;
  hasQuery: boolean;
  targetId: number;
  targetName: string;
  ownerId: string;
  sha256: string | null;
  format: ImageFormat | null;
}
