import type { CopyImageInput } from '@wcc/api';
import type { OperationInput } from '../../operations/action.ts';

/** What a copy needs to know to run, and to run again after a restart. */
export interface CopyInput extends OperationInput {
  sourceId: number;
  sourcePoolId: string;
  sourceName: string;
  /** As the source had them when the copy was accepted. */
  format: 'raw' | 'qcow2' | 'iso';
  virtualSizeBytes: number;
  /** What an overlay needs below it; its copy needs the same. */
  baseId?: number | null;
  targetId: number;
  targetName: string;
  ownerId: string;
  method: CopyImageInput['method'];
  bytesPerSecond: number | null;
  verify: boolean;
}
