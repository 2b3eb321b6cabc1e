import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { nextExtent } from '../inspect/extents.ts';
import type { FileIdentity } from '../contract/types.ts';
import { systemCode } from '../kernel/errno.ts';
import { compareIdentity, identityOf } from '../run/source.ts';
import { markSourceError, readingSource, throwIfCancelled } from './context.ts';
import type { TreeContext } from './context.ts';
import type { DirectoryChain } from './directory-chain.ts';
import { setFacts } from './file-facts.ts';
import { hasSameContent } from './same-content.ts';

const newFile = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A regular file of the source while it is open. */
export interface TreeFile {
  name: Buffer;
  source: DirectoryChain;
  fd: number;
  stat: BigIntStats;
}

/** Where a file goes: an entry of the current directory of a chain. */
export interface TreeTarget {
  chain: DirectoryChain;
  name: Buffer;
}

/** A complete copy. */
export interface CopiedFile {
  copy: BigIntStats;
  /** Bytes that the progress already counts. */
  countedBytes: number;
}

export type CopySmall = (file: TreeFile, target: TreeTarget) => CopiedFile;

const bufferBytes = 1024 ** 2;
const wholeFile = 0n;

/** Errors of FICLONE that mean "cannot share blocks here": the worker does not try again. */
const refusals: ReadonlySet<string> = new Set([
  'EOPNOTSUPP',
  'ENOTSUP',
  'ENOTTY',
  'ENOSYS',
  'EXDEV',
  'EINVAL',
]);

/** Copies files that need no checkpoint, with one buffer for all of them. */
export function createSmallCopy(context: TreeContext): CopySmall {
  const { request, kernel } = context;
  const buffer = Buffer.allocUnsafeSlow(bufferBytes);
  let clones = kernel !== null && request.method !== 'copy';
  const clone = (file: TreeFile, fd: number): boolean => {
    if (!clones || kernel === null) return false;
    try {
      kernel.cloneFile(file.fd, fd);
      return true;
    } catch (error) {
      if (!refusals.has(systemCode(error) ?? '')) throw error;
      if (request.method === 'clone') {
        throw new CopyError('clone_unsupported', { path: file.source.show(file.name), cause: error });
      }
      clones = false;
      return false;
    }
  };
  return (file, { chain, name }) => {
    const fd = chain.run(name, () => openSync(chain.at(name), newFile, 0o600));
    let countedBytes = 0;
    try {
      if (!chain.run(name, () => clone(file, fd)))
        countedBytes = moveBytes(context, file, { chain, name, fd, buffer });
      assertUnchanged(file, { fd, buffer });
      chain.run(name, () => setFacts(context, fd, file.stat));
      if (request.durable) chain.run(name, () => startWriteBack(context, fd));
      return { copy: fstatSync(fd, { bigint: true }), countedBytes };
    } catch (error) {
      removeIncomplete(chain, name);
      throw error;
    } finally {
      closeSync(fd);
    }
  };
}

function removeIncomplete(chain: DirectoryChain, name: Buffer): void {
  try {
    unlinkSync(chain.at(name));
  } catch {
    // the first error counts; the staging directory is removed as a whole
  }
}

interface OpenTarget extends TreeTarget {
  fd: number;
  buffer: Buffer;
}

/** Copies the data and leaves the holes of the source. */
function moveBytes(context: TreeContext, file: TreeFile, target: OpenTarget): number {
  const { kernel } = context;
  let counted = 0;
  const sizeBytes = file.stat.size;
  // A file without holes needs no search for them.
  const isSparse = file.stat.blocks * 512n < sizeBytes;
  const extents = { kernel: isSparse ? kernel : null, fd: file.fd, sizeBytes };
  for (let at = 0n; ;) {
    const from = at;
    const extent = readingSource(file.source, file.name, () => nextExtent(extents, from));
    if (extent === null) break;
    moveRange(context, { file, target }, extent);
    counted += Number(extent.end - extent.start);
    at = extent.end;
  }
  if (isSparse) target.chain.run(target.name, () => ftruncateSync(target.fd, Number(sizeBytes)));
  return counted;
}

function moveRange(
  context: TreeContext,
  { file, target }: { file: TreeFile; target: OpenTarget },
  range: { start: bigint; end: bigint },
): void {
  const { buffer, chain, name, fd } = target;
  const end = Number(range.end);
  for (let at = Number(range.start); at < end;) {
    throwIfCancelled(context);
    const wanted = Math.min(buffer.length, end - at);
    const count = readingSource(file.source, file.name, () => readSync(file.fd, buffer, 0, wanted, at));
    if (count === 0) throwChanged(file);
    chain.run(name, () => {
      for (let done = 0; done < count;) done += writeSync(fd, buffer, done, count - done, at + done);
    });
    at += count;
    context.slot.addBytes(count);
  }
}

/** A file may have other bytes even if only its change time differs, so the copy is compared with it. */
function assertUnchanged(file: TreeFile, copy: { fd: number; buffer: Buffer }): void {
  const read = (): FileIdentity => identityOf(fstatSync(file.fd, { bigint: true }));
  const pair = { source: file.fd, copy: copy.fd, sizeBytes: file.stat.size, buffer: copy.buffer };
  const hasSameBytes = (): boolean => hasSameContent({ ...pair, kernel: null });
  let before = identityOf(file.stat);
  for (let comparisons = 0; ; comparisons += 1) {
    const now = read();
    const likeness = compareIdentity(before, now);
    if (likeness === 'same') return;
    if (likeness === 'changed' || comparisons === maxComparisons || !hasSameBytes()) throwChanged(file);
    before = now;
  }
}

/** Comparisons of one file that is touched again and again. */
const maxComparisons = 3;

function throwChanged({ source, name }: TreeFile): never {
  throw markSourceError(new CopyError('source_changed', { path: source.show(name) }));
}

/** Errors of file systems without sync_file_range. The flush then does all the work. */
const writeBackRefusals: ReadonlySet<string> = new Set([
  'ESPIPE',
  'EINVAL',
  'ENOSYS',
  'EOPNOTSUPP',
  'ENOTSUP',
]);

/** The disk works while further files are read, so that the flush at the end is short. */
function startWriteBack({ kernel }: TreeContext, fd: number): void {
  try {
    kernel?.startWriteBack({ fd, offset: wholeFile, lengthBytes: wholeFile });
  } catch (error) {
    if (!writeBackRefusals.has(systemCode(error) ?? '')) throw error;
  }
}
