import { release } from 'node:os';
import { CopyError } from '../contract/errors.ts';
import type { CopyErrorCode } from '../contract/errors.ts';
import { packError } from '../contract/wire-error.ts';
import { emptyTotals } from '../contract/tree.ts';
import type { TreeRequest, TreeStepResult } from '../contract/tree.ts';
import { openTreeSlot } from '../contract/tree-slot.ts';
import type { TreeSlotWriter } from '../contract/tree-slot.ts';
import { loadKernel } from '../kernel/calls.ts';
import type { Kernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import type { CopyRequest } from '../contract/messages.ts';
import { showPath } from '../storage/paths.ts';
import { DirectoryChain } from './directory-chain.ts';

/** Maximum entries of a list in the result. The counts are exact. */
const maxListed = 1000;
/** The path in the progress changes at most once in this time, because deep paths are long. */
const pathIntervalMs = 50;

/** Copies one large file as `copyFile` does. */
export type CopyLarge = (request: CopyRequest) => void;

/** The state of one step. */
export interface TreeContext {
  readonly request: TreeRequest;
  /** Null: the copy uses Node's own fs. */
  readonly kernel: Kernel | null;
  /** Every file and directory gets its own fsync, because one syncfs for the tree is not possible. */
  readonly syncsEach: boolean;
  readonly slot: TreeSlotWriter;
  readonly result: TreeStepResult;
  readonly copyLarge: CopyLarge;
}

export function createContext(request: TreeRequest, copyLarge: CopyLarge): TreeContext {
  const kernel = request.native === 'off' ? null : loadKernel();
  return {
    request,
    kernel,
    syncsEach: request.durable && (kernel === null || !reportsErrors()),
    slot: openTreeSlot(request.memory),
    result: {
      totals: emptyTotals(),
      skipped: [],
      skippedCount: 0,
      failed: [],
      failedCount: 0,
      reusedFiles: 0,
      warnings: [],
      next: 'copy',
    },
    copyLarge,
  };
}

const firstReporting = { major: 5, minor: 8 };

/** Linux before 5.8 returns success from syncfs although a write has failed. */
function reportsErrors(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > firstReporting.major || (major === firstReporting.major && minor >= firstReporting.minor);
}

export function sourceChain({ request }: TreeContext): DirectoryChain {
  return new DirectoryChain(request.roots.source, 'source_changed');
}

/** The staging directory. Its paths in messages are those of the destination. */
export function stagingChain(context: TreeContext): DirectoryChain {
  const { staging, destination } = context.request.roots;
  if (staging === null) throw new CopyError('worker_failed', { detail: 'no staging directory is open' });
  return new DirectoryChain({ fd: staging.fd, path: destination.path }, 'destination_changed');
}

export function parentChain({ request }: TreeContext): DirectoryChain {
  return new DirectoryChain(request.roots.parent, 'destination_changed');
}

/** @throws CopyError `cancelled` if the caller has asked to stop */
export function throwIfCancelled({ slot, request }: TreeContext): void {
  if (slot.isStopped()) throw new CopyError('cancelled', { path: showPath(request.roots.destination.path) });
}

/** Codes that concern one entry, although the destination reports them. */
const entryCodes: ReadonlySet<CopyErrorCode> = new Set(['name_too_long', 'too_large']);

/** Errors of reading the source, which `onError: 'skip'` passes over. */
const sourceErrors = new WeakSet<CopyError>();

/** Runs a step that reads the source. */
export function readingSource<T>(source: DirectoryChain, name: Uint8Array | undefined, step: () => T): T {
  try {
    return source.run(name, step);
  } catch (error) {
    throw markSourceError(error);
  }
}

export function markSourceError(error: unknown): CopyError {
  const marked = toCopyError(error);
  sourceErrors.add(marked);
  return marked;
}

/** @throws the error, unless `onError: 'skip'` passes over it */
export function assertSkippable({ request }: TreeContext, thrown: unknown): CopyError {
  const error = toCopyError(thrown);
  const isOfEntry = sourceErrors.has(error) || entryCodes.has(error.code);
  if (request.onError !== 'skip' || !isOfEntry) throw error;
  return error;
}

/** Records an entry that is left out. @throws the error if it stops the copy */
export function recordFailure(context: TreeContext, thrown: unknown): void {
  const error = assertSkippable(context, thrown);
  const { result } = context;
  result.failedCount += 1;
  if (result.failed.length < maxListed) result.failed.push(packError(error));
}

export function recordSkipped({ result }: TreeContext, path: string, kind: string): void {
  result.skippedCount += 1;
  if (result.skipped.length < maxListed) result.skipped.push({ path, kind });
}

/** The staging directory of an id, in the directory that contains it. */
export function stagingName(id: string): string {
  return `.wcc-${id}.partial`;
}

/** Reports the entry at work, at most every 50 ms. */
export function createPathReport({ slot }: TreeContext, source: DirectoryChain): (name: Uint8Array) => void {
  let nextMs = 0;
  return (name) => {
    const nowMs = performance.now();
    if (nowMs < nextMs) return;
    nextMs = nowMs + pathIntervalMs;
    slot.setPath(source.relative(name));
  };
}

/**
 * The hidden directory in the staging directory. It has the journals, and one name of each file with several hard
 * links.
 */
export function hiddenName({ request }: TreeContext): Buffer {
  return Buffer.from(stagingName(request.id));
}
