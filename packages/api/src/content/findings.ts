import type { ErrorCode } from '../errors/registry.ts';
import type { Kind } from './kinds.ts';

/** Error codes of refused content, one for each cause. */
export type ContentCode = Extract<
  ErrorCode,
  | 'hostile_image'
  | 'damaged_image'
  | 'compressed_file'
  | 'unsupported_format'
  | 'not_an_image'
  | 'image_too_large'
>;

/** Why content is refused. */
export interface ContentRefusal {
  code: ContentCode;
  /** Stable, stored as `stateReason` of an image: the id of a kind, or one of the reasons in `refusal-texts.ts`. */
  reason: string;
  /** The exact message of this case, in English. @default the text of the reason */
  message?: string;
  /** @default the text of the reason */
  hint?: string;
  /** For `image_too_large`. */
  tooLarge?: { sizeBytes: number; limitBytes: number };
}

const codeOfFamily: Readonly<Record<Kind['family'], ContentCode>> = {
  compressed: 'compressed_file',
  archive: 'compressed_file',
  disk: 'unsupported_format',
  other: 'not_an_image',
};

export function refuseKind({ id, family }: Kind): ContentRefusal {
  return { code: codeOfFamily[family], reason: id };
}

export const damaged = (reason: string, message?: string): ContentRefusal => ({
  code: 'damaged_image',
  reason,
  ...(message === undefined ? {} : { message }),
});
