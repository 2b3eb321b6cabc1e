import { ApiProblem } from '@wcc/api/client';
import { FileReadError } from './local-file.ts';

/** How sending goes, as the page that sends sees it; what arrived is told by the operation alone. */
export type UploadView =
  /** Two others are sent at this time. */
  | { kind: 'waiting' }
  | { kind: 'sending' }
  /** By order, or because the disk is full: the operation says which. */
  | { kind: 'paused' }
  /** Goes on by itself when there is a connection. */
  | { kind: 'offline' }
  | { kind: 'signed_out' }
  /** Another tab or program sends to it. */
  | { kind: 'elsewhere' }
  /** The server or a proxy refused for now; tried again by itself. */
  | { kind: 'refused'; problem: ApiProblem }
  /** The file is not there any more as it was: it has to be chosen again. */
  | { kind: 'file_trouble' }
  /** Nothing more to send, or nothing to send it to. */
  | { kind: 'over'; problem: ApiProblem | null };

/** Whether this is the end of it, as far as this page can do anything. */
export function isEnd({ kind }: UploadView): boolean {
  return kind === 'file_trouble' || kind === 'over';
}

/** Whether closing the page now would interrupt something. */
export function isInProgress(view: UploadView): boolean {
  return !isEnd(view) && view.kind !== 'paused';
}

/** Refusals that pass: of a proxy, of a full disk, of a server that starts. */
const retryableStatuses: ReadonlySet<number> = new Set([
  408, 409, 413, 425, 429, 460, 500, 502, 503, 504, 507,
]);

/** What an error of a request says about how to go on. */
export function viewOfError(error: unknown): UploadView {
  if (error instanceof FileReadError) return { kind: 'file_trouble' };
  if (!(error instanceof ApiProblem) || error.status === 0) return { kind: 'offline' };
  if (error.status === 401) return { kind: 'signed_out' };
  if (error.status === 423) return { kind: 'elsewhere' };
  if (retryableStatuses.has(error.status)) return { kind: 'refused', problem: error };
  return { kind: 'over', problem: error };
}
