import type { CopyImageInput, ImageId } from '@wcc/api';
import type { ImageRequest } from '../context.ts';
import type { PublishInput } from '../publish/publishing-action.ts';

export const copyAction = 'copy_vm_image';

/** The stored input of a copy, which a restart reads again. */
export interface CopyInput extends PublishInput {
  sourceId: ImageId;
  sourcePoolId: string;
  sourceName: string;
  /** Facts of the source when the copy was accepted. */
  format: 'raw' | 'qcow2' | 'iso';
  virtualSizeBytes: number;
  /** The base of an overlay; its copy has the same base. */
  baseId?: ImageId | null;
  method: CopyImageInput['method'];
  bytesPerSecond: number | null;
  verify: boolean;
  /** The client's request, which a retry repeats. */
  request: ImageRequest<CopyImageInput>;
}
