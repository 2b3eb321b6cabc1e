import { CopyError } from '../contract/errors.ts';
import type { CopyErrorCode } from '../contract/errors.ts';
import { toCopyError } from '../kernel/errno.ts';

/** Codes of errors that a worker ends with → codes of this package. All others become `worker_failed`. */
const codesOfWorkers: Readonly<Record<string, CopyErrorCode>> = {
  ERR_MODULE_NOT_FOUND: 'worker_missing',
  MODULE_NOT_FOUND: 'worker_missing',
  ERR_WORKER_INIT_FAILED: 'resources',
  ERR_WORKER_OUT_OF_MEMORY: 'resources',
};

/** The error for a worker that did not start, or ended before its request was answered. */
export function toWorkerFailure(cause: unknown): CopyError {
  if (cause instanceof CopyError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ERR_ACCESS_DENIED') return toCopyError(cause);
  return new CopyError(codesOfWorkers[code] ?? 'worker_failed', { cause });
}
