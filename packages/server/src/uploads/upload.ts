import type { ImageFormat } from '@wcc/api';
import type { Hash } from 'node:crypto';
import type { Inspected } from '../images/foreign/inspect.ts';
import type { PublishInput } from '../images/publish/publishing-action.ts';

export const uploadAction = 'upload_image';

/** The request of an upload. It is stored, so that the upload can resume after a restart. */
export interface UploadInput extends PublishInput {
  sizeBytes: number;
  /** Expected SHA-256 of the whole file, in lower-case hex; null: the client gave none. */
  sha256: string | null;
  /** The format that the client declares. */
  format: ImageFormat | null;
  /** Modification time of the client's file, ms since the epoch. */
  lastModified: number | null;
  /** `Upload-Metadata` as received, because a tus client gets it back unchanged. */
  metadata: string;
}

/** In-memory state of an unfinished upload. Losing it at a restart costs time, never bytes. */
export interface UploadScratch {
  /** SHA-256 of the bytes before an offset. */
  digest: { hash: Hash; atBytes: number } | null;
  /** Result of the inspection of the complete file. */
  inspected: Inspected | null;
  /** Codes of the warnings that were reported. */
  warnings: Set<string>;
  /** The end of its time as announced last, in milliseconds since 1970. */
  announcedMs: number | null;
  /** Monotonic time of the last answer to its client. */
  answeredAtMs: number;
  /** Monotonic time since which no request could send bytes; it does not count while the work runs. */
  quietSinceMs: number;
  /** Whether the space of the missing bytes is reserved; null: not read yet. */
  isPromised: boolean | null;
}
