import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { CopyErrorCode } from '../contract/errors.ts';
import { toCopyError } from '../kernel/errno.ts';
import { compareIdentity, identityOf } from '../run/source.ts';
import { markSourceError } from './context.ts';
import type { TreeContext } from './context.ts';
import { setFacts } from './file-facts.ts';
import type { CopiedFile, TreeFile, TreeTarget } from './small-file.ts';

const mib = 1024 ** 2;
/** From this size on, a file gets checkpoints: it resumes in its middle, and can be cancelled between windows. */
export const largeBytes: bigint = BigInt(64 * mib);

const checkpointIntervalMs = 5000;
const checkpointBytes = 1024 ** 3;

/** Codes of the engine that concern the source. */
const sourceCodes: ReadonlySet<CopyErrorCode> = new Set([
  'source_changed',
  'source_in_use',
  'not_regular',
  'not_found',
  'size_unknown',
]);

/** Copies a file with the engine of `copyFile`, into the staging directory. */
export function copyLargeFile(context: TreeContext, file: TreeFile, { chain, name }: TreeTarget): CopiedFile {
  const { request, slot } = context;
  slot.setLarge(Number(file.stat.size));
  try {
    context.copyLarge({
      kind: 'copy',
      memory: request.fileMemory,
      // The same in a later run, which finds the partial by it.
      id: `tree-${file.stat.dev}-${file.stat.ino}`,
      tag: null,
      source: file.source.at(file.name),
      destination: chain.at(name),
      method: request.method,
      native: request.native,
      resume: request.resume,
      overwrite: false,
      verify: false,
      durable: request.durable && file.stat.size >= largeBytes,
      preallocate: false,
      detectZeros: false,
      ifInUse: 'warn',
      keepPartial: request.keepPartial,
      keepSidecar: false,
      checkpointIntervalMs,
      checkpointBytes,
      minFreeBytes: request.minFreeBytes,
      continues: null,
    });
    const copy = chain.run(name, () => restoreFacts(context, file, chain.at(name)));
    return { copy, countedBytes: 0 };
  } catch (error) {
    throw withRealPath(file, error, chain.show(name));
  } finally {
    slot.setLarge(0);
  }
}

/** The engine keeps the mode only. Its file must still be the source's state that this walk has seen. */
function restoreFacts(context: TreeContext, file: TreeFile, path: Buffer): BigIntStats {
  const now = fstatSync(file.fd, { bigint: true });
  // The engine has compared what it copied; here the facts of the walk count.
  if (compareIdentity(identityOf(file.stat), identityOf(now)) === 'changed') {
    throw new CopyError('source_changed', { path: file.source.show(file.name) });
  }
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    setFacts(context, fd, file.stat);
    return fstatSync(fd, { bigint: true });
  } finally {
    closeSync(fd);
  }
}

/** The engine knows the paths by descriptor only. */
function withRealPath(file: TreeFile, thrown: unknown, target: string): CopyError {
  const { code, offset, detail, hint, cause, resumable } = toCopyError(thrown);
  const isSource = sourceCodes.has(code);
  const error = new CopyError(code, {
    path: isSource ? file.source.show(file.name) : target,
    offset,
    hint,
    resumable,
    cause,
    ...(detail === null ? {} : { detail }),
  });
  return isSource ? markSourceError(error) : error;
}
