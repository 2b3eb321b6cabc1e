import type { ImageFormat } from '@wcc/api';
import type { OperationInput } from '../operations/action.ts';

export const uploadAction = 'upload_image';

/** What an upload needs to know to go on after a restart. */
export interface UploadInput extends OperationInput {
  targetId: number;
  targetName: string;
  sizeBytes: number;
  ownerId: string;
  /** Of the whole file, in lower-case hex; null: nobody asked for it. */
  sha256: string | null;
  /** What the client believes it sends. */
  format: ImageFormat | null;
  /** The file's time at the client, ms since the epoch. */
  lastModified: number | null;
  /** `Upload-Metadata` as it came: a tus client gets it back. */
  metadata: string;
}
