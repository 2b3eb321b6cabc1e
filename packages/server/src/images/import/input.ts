import type { ImageFormat, ImportImageInput } from '@wcc/api';
import type { PublishInput } from '../publish/publishing-action.ts';

export const importAction = 'import_image';

/** The stored input of an import, which a restart reads again. */
export interface ImportInput extends PublishInput {
  /** The address without its query. The query may contain a signature, so it is in memory only. */
  url: string;
  hasQuery: boolean;
  sha256: string | null;
  format: ImageFormat | null;
  /** The client's request, which a retry repeats. Its address has no query. */
  request: { body: ImportImageInput };
}
