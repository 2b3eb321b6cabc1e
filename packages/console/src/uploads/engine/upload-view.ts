import { ApiProblem } from '@wcc/api/client';
import { FileReadError } from './local-file.ts';

/** State of sending, as this page sees it. The operation shows how many bytes arrived. */
export type UploadView =
  /** The maximum number of other uploads is being sent. */
  | { kind: 'waiting' }
  | { kind: 'sending' }
  /** Paused by a user or by a full disk. The operation shows the reason. */
  | { kind: 'paused' }
  /** Resumes automatically once there is a connection. */
  | { kind: 'offline' }
  | { kind: 'signed_out' }
  /** Another tab or program is sending this upload. */
  | { kind: 'elsewhere' }
  /** The server or a proxy refused temporarily; retried automatically. */
  | { kind: 'refused'; problem: ApiProblem }
  /** The file was changed or removed: it must be chosen again. */
  | { kind: 'file_trouble' }
  /** Everything was sent, or the upload ended. */
  | { kind: 'over'; problem: ApiProblem | null };

/** Whether this page has stopped sending for good. */
export function isEnd({ kind }: UploadView): boolean {
  return kind === 'file_trouble' || kind === 'over';
}

/** Whether closing the page now would interrupt the upload. */
export function isInProgress(view: UploadView): boolean {
  return !isEnd(view) && view.kind !== 'paused';
}

/** Temporary refusals: of a proxy, a full disk or a starting server. */
const retryableStatuses: ReadonlySet<number> = new Set([
  408, 409, 413, 425, 429, 460, 500, 502, 503, 504, 507,
]);

/** The view after an error of a request. */
export function viewOfError(error: unknown): UploadView {
  if (error instanceof FileReadError) return { kind: 'file_trouble' };
  if (!(error instanceof ApiProblem) || error.status === 0) return { kind: 'offline' };
  if (error.status === 401) return { kind: 'signed_out' };
  if (error.status === 423) return { kind: 'elsewhere' };
  if (retryableStatuses.has(error.status)) return { kind: 'refused', problem: error };
  return { kind: 'over', problem: error };
}
