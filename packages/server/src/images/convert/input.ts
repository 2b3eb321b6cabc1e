import type { ConvertImageInput, ImageId } from '@wcc/api';
import type { ImageRequest } from '../context.ts';
import type { PublishInput } from '../publish/publishing-action.ts';

export const convertAction = 'convert_image';

/** What a conversion needs to run, and to run again after a restart. */
export interface ConvertInput extends PublishInput {
  sourceId: ImageId;
  sourcePoolId: string;
  sourceName: string;
  /** The file that was inspected when the conversion was accepted. */
  sourceInode: string;
  /** As registered; never probed again. */
  sourceFormat: 'raw' | 'qcow2';
  virtualSizeBytes: number;
  /** Guest data that exists. */
  dataBytes: number;
  format: 'raw' | 'qcow2';
  compress: boolean;
  /** For a retry. */
  request: ImageRequest<ConvertImageInput>;
}
