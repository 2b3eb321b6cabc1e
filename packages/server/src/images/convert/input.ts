import type { ConvertImageInput, ImageId } from '@wcc/api';
import type { ImageRequest } from '../context.ts';
import type { PublishInput } from '../publish/publishing-action.ts';

export const convertAction = 'convert_image';

/** The stored input of a conversion, which a restart reads again. */
export interface ConvertInput extends PublishInput {
  sourceId: ImageId;
  sourcePoolId: string;
  sourceName: string;
  /** The file that was inspected when the conversion was accepted. */
  sourceInode: string;
  /** The registered format of the source; never detected again. */
  sourceFormat: 'raw' | 'qcow2';
  virtualSizeBytes: number;
  /** Bytes of guest data, without holes. */
  dataBytes: number;
  format: 'raw' | 'qcow2';
  compress: boolean;
  /** The client's request, which a retry repeats. */
  request: ImageRequest<ConvertImageInput>;
}
