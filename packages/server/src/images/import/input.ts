import type { ImageFormat, ImportImageInput } from '@wcc/api';
import type { PublishInput } from '../publish/publishing-action.ts';

export const importAction = 'import_image';

/** What an import needs to run, and to resume after a restart. */
export interface ImportInput extends PublishInput {
  /** Without its query, which may contain a signature and stays in memory. */
  url: string;
  hasQuery: boolean;
  sha256: string | null;
  format: ImageFormat | null;
  /** For a retry; its address has no query. */
  request: { body: ImportImageInput };
}
