import { closeSync, constants, fstatSync, lstatSync, openSync, statfsSync } from 'node:fs';
import type { BigIntStats, Dirent } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { assertFree } from '../reserve/space.ts';
import { showPath } from '../storage/paths.ts';
import {
  hiddenName,
  parentChain,
  readingSource,
  recordFailure,
  recordSkipped,
  sourceChain,
  throwIfCancelled,
} from './context.ts';
import type { TreeContext } from './context.ts';
import { aboveName, descriptorPath, isSameFile } from './directory-chain.ts';
import type { DirectoryChain } from './directory-chain.ts';
import { createExisting } from './existing.ts';
import { kindOfSpecial, walkTree } from './walk.ts';
import type { EntryKind } from './walk.ts';

/** Counts the tree and refuses what cannot be copied. Creates nothing. */
export function scanTree(context: TreeContext): void {
  const source = sourceChain(context);
  const parent = parentChain(context);
  const existing = createExisting(context, parent);
  assertNotNested(context, { source, parent });
  assertDestinationFree(context, parent);
  const seen = new Set<string>();
  try {
    walkTree(source, {
      enter() {
        throwIfCancelled(context);
        assertNotDestination(context, { source, parent });
        context.result.totals.directories += 1;
        existing.enter(source);
      },
      leave: () => existing.leave(),
      entry(name, kind, dirent) {
        const counted = countEntry(context, { source, seen }, { name, kind, dirent });
        if (counted) existing.assertFree(name);
      },
      failed(error) {
        recordFailure(context, error);
      },
    });
  } finally {
    source.close();
    parent.close();
  }
  assertSpace(context, source.stat);
}

function assertDestinationFree({ request }: TreeContext, parent: DirectoryChain): void {
  const { name, path } = request.roots.destination;
  if (name === null) return;
  const stat = parent.run(name, () => lstatSync(parent.at(name), { throwIfNoEntry: false }));
  if (stat === undefined) return;
  throw new CopyError('exists', {
    path: showPath(path),
    ...(stat.isDirectory() ? { detail: 'use merge to copy into it' } : {}),
  });
}

interface FoundEntry {
  name: Buffer;
  kind: EntryKind;
  dirent: Dirent;
}

/** Adds an entry to the totals; false if it is left out. */
function countEntry(
  context: TreeContext,
  { source, seen }: { source: DirectoryChain; seen: Set<string> },
  { name, kind, dirent }: FoundEntry,
): boolean {
  throwIfCancelled(context);
  const { request, result } = context;
  if (kind === 'special') return leaveOut(context, source, { name, kind: kindOfSpecial(dirent) });
  if (kind === 'symlink') {
    if (request.symlinks !== 'copy') return leaveOut(context, source, { name, kind });
    result.totals.symlinks += 1;
    return true;
  }
  if (source.depth === 0 && name.equals(hiddenName(context))) {
    throw new CopyError('exists', { path: source.show(name), detail: 'the copy uses this name itself' });
  }
  const stat = readingSource(source, name, () => lstatSync(source.at(name), { bigint: true }));
  countFile(context, stat, seen);
  return true;
}

function leaveOut(
  context: TreeContext,
  source: DirectoryChain,
  { name, kind }: { name: Buffer; kind: string },
): false {
  const rule = kind === 'symlink' ? context.request.symlinks : context.request.special;
  if (rule === 'fail') throw new CopyError('not_regular', { path: source.show(name), detail: kind });
  recordSkipped(context, showPath(source.relative(name)), kind);
  return false;
}

/** A file with several hard links counts once. Only those files need a place in memory. */
function countFile({ result: { totals } }: TreeContext, stat: BigIntStats, seen: Set<string>): void {
  if (stat.nlink > 1n) {
    const key = `${stat.dev}:${stat.ino}`;
    if (seen.has(key)) {
      totals.hardLinks += 1;
      return;
    }
    seen.add(key);
  }
  totals.files += 1;
  totals.bytes += Number(stat.size);
  totals.allocatedBytes += Number(stat.blocks * 512n);
}

interface Ends {
  source: DirectoryChain;
  parent: DirectoryChain;
}

/**
 * A tree cannot be copied into itself: walks up from both ends to the root of the file system. Compares devices and
 * inodes, so bind mounts and symlinks in the given paths do not hide it.
 */
function assertNotNested({ request }: TreeContext, { source, parent }: Ends): void {
  const path = showPath(request.roots.destination.path);
  if (isInside(parent, source.stat)) {
    throw new CopyError('nested', { path, detail: 'the destination is inside the source' });
  }
  if (request.roots.destination.name === null && isInside(source, parent.stat)) {
    throw new CopyError('nested', { path, detail: 'the source is inside the destination' });
  }
}

/** Finds what a walk upwards misses, for example a directory that is mounted a second time inside the source. */
function assertNotDestination({ request }: TreeContext, { source, parent }: Ends): void {
  if (!isSameFile(source.stat, parent.stat)) return;
  const path = showPath(request.roots.destination.path);
  throw new CopyError('nested', { path, detail: 'the destination is inside the source' });
}

/** O_PATH, which Node does not name. It needs no permission to read the directory. */
const pathOnly = 0x200000;

/** Whether a directory is `outer`, or is below it. */
function isInside(chain: DirectoryChain, outer: BigIntStats): boolean {
  let stat = chain.stat;
  let path = descriptorPath(chain.fd);
  let fd: number | null = null;
  try {
    for (;;) {
      if (isSameFile(stat, outer)) return true;
      const up = openSync(Buffer.concat([path, aboveName]), pathOnly | constants.O_DIRECTORY);
      if (fd !== null) closeSync(fd);
      fd = up;
      const above = fstatSync(up, { bigint: true });
      if (isSameFile(above, stat)) return false; // the root is its own parent
      stat = above;
      path = descriptorPath(up);
    }
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** File systems without shared blocks: a copy on them needs the space of its source. */
const withoutSharing: ReadonlySet<bigint> = new Set([0xef53n, 0x01021994n, 0x858458f6n, 0x4d44n]);

function assertSpace({ request, result }: TreeContext, source: BigIntStats): void {
  const { fd } = request.roots.parent;
  const path = descriptorPath(fd);
  const { bavail, bsize, type } = statfsSync(path, { bigint: true });
  const needsBlocks =
    request.method === 'copy' ||
    fstatSync(fd, { bigint: true }).dev !== source.dev ||
    withoutSharing.has(type);
  assertFree({
    neededBytes: needsBlocks ? result.totals.allocatedBytes : 0,
    freeBytes: Number(bavail * bsize),
    minFreeBytes: request.minFreeBytes,
    path: showPath(request.roots.destination.path),
  });
}
