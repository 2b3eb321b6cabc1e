import type { OperationInput } from '../../operations/action.ts';

/** What a conversion needs to know to run, and to begin anew after a restart. */
export interface ConvertInput extends OperationInput {
  sourceId: number;
  sourcePoolId: string;
  sourceName: string;
  /** The very file that was looked at when it was accepted. */
  sourceInode: string;
  /** As registered: it is never probed again. */
  sourceFormat: 'raw' | 'qcow2';
  virtualSizeBytes: number;
  /** Guest data that exists. */
  dataBytes: number;
  targetId: number;
  targetName: string;
  format: 'raw' | 'qcow2';
  compress: boolean;
  ownerId: string;
}
