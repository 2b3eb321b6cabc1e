import type { ImageId, VerifyImageInput } from '@wcc/api';
import type { OperationInput } from '../../operations/action.ts';
import type { ImageRequest } from '../context.ts';

export const verifyAction = 'verify_image';

/** The stored input of a verification. */
export interface VerifyInput extends OperationInput {
  sourceId: ImageId;
  sourceName: string;
  sourceInode: string;
  format: 'raw' | 'qcow2' | 'iso';
  sizeBytes: number;
  /** Expected digest, in lower case; null: it is only computed. */
  sha256: string | null;
  /** The client's request, which a retry repeats. */
  request: ImageRequest<VerifyImageInput>;
}
