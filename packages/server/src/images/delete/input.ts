import type { ImageId } from '@wcc/api';
import type { OperationInput } from '../../operations/action.ts';

export const deleteAction = 'delete_image';

/** The stored input of a deletion, which a restart reads again. */
export interface DeleteInput extends OperationInput {
  sourceId: ImageId;
  sourceName: string;
  /** The file to delete; null: it is missing, so only the record of the image is deleted. */
  file: { inode: string; sizeBytes: number } | null;
  /** The client's request, which a retry repeats. */
  request: { id: ImageId };
}
