import type { ImageFormat, ImportImageInput } from '@wcc/api';
import type { PublishInput } from '../publish/publishing-action.ts';

export const importAction = 'import_image';

/** The stored input of an import, which a restart reads again. */
export interface ImportInput extends PublishInput {
  /** Without its query, which may contain a signature and stays in memory. */
  url: string;
  hasQuery: boolean;
  sha256: string | null;
  format: ImageFormat | null;
  /** For a retry; its address has no query. */
  request: { body: ImportImageInput };
}
