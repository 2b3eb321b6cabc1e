import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, symlinkSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { assertTrueSize, kindOf } from '../run/source.ts';
import {
  assertSkippable,
  createPathReport,
  hiddenName,
  markSourceError,
  readingSource,
  recordFailure,
  recordSkipped,
  sourceChain,
  stagingChain,
  throwIfCancelled,
} from './context.ts';
import type { TreeContext } from './context.ts';
import { isSameFile } from './directory-chain.ts';
import type { DirectoryChain } from './directory-chain.ts';
import { setLinkFacts } from './file-facts.ts';
import { openJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import { createLinks } from './links.ts';
import type { Links } from './links.ts';
import { copyLargeFile, largeBytes } from './large-file.ts';
import { createSmallCopy } from './small-file.ts';
import type { CopySmall, TreeFile, TreeTarget } from './small-file.ts';
import { reuseFile } from './reuse-file.ts';
import { hashBytes, isOfShard } from './shard.ts';
import { makeDirectory, removeEntry, withOwnerAccess } from './staging.ts';
import { kindOfSpecial, walkTree } from './walk.ts';
import { showPath } from '../storage/paths.ts';

const safeRead = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What the copying of one entry needs. */
interface Shard {
  context: TreeContext;
  source: DirectoryChain;
  staging: DirectoryChain;
  copySmall: CopySmall;
  links: Links;
  journal: Journal;
}

/** Copies the entries of one shard into the staging directory. Several workers run this at once. */
export function copyEntries(context: TreeContext): void {
  const source = sourceChain(context);
  const staging = stagingChain(context);
  const links = createLinks(context);
  const journal = openJournal(context);
  const shard: Shard = { context, source, staging, copySmall: createSmallCopy(context), links, journal };
  const reportPath = createPathReport(context, source);
  const root = staging.stat;
  try {
    walkTree(source, {
      enter() {
        throwIfCancelled(context);
        if (isSameFile(source.stat, root)) throw new CopyError('nested', { path: source.show() });
        if (source.depth > 0) enterStaging(context, staging, source.name);
      },
      leave: () => staging.pop(),
      entry(name, kind, dirent) {
        if (!isOfShard(context.request, hashBytes(name))) return;
        throwIfCancelled(context);
        reportPath(name);
        if (kind === 'file') copyFileEntry(shard, name);
        else if (kind === 'special')
          recordSkipped(context, showPath(source.relative(name)), kindOfSpecial(dirent));
        else copySymlink(shard, name);
      },
      failed(error, what) {
        // the step `flush` records a directory, once for all workers
        if (what === 'entry') recordFailure(context, error);
        else assertSkippable(context, error);
      },
    });
  } finally {
    journal.close();
    links.close();
    source.close();
    staging.close();
  }
}

function enterStaging(context: TreeContext, staging: DirectoryChain, name: Buffer): void {
  if (staging.depth === 0 && name.equals(hiddenName(context))) {
    throw new CopyError('exists', { path: staging.show(name), detail: 'the copy uses this name itself' });
  }
  if (context.request.resumed) removeOtherKind(staging, name);
  staging.run(name, () => makeDirectory(staging, name));
  // An earlier run may have set the mode of the source already.
  if (context.request.resumed) withOwnerAccess(staging, name);
  staging.push(name);
}

/** Removes what an earlier run has copied under the name of a directory. */
function removeOtherKind(staging: DirectoryChain, name: Buffer): void {
  const stat = staging.run(name, () => lstatSync(staging.at(name), { throwIfNoEntry: false }));
  if (stat !== undefined && !stat.isDirectory()) removeEntry(staging, name);
}

function copyFileEntry(shard: Shard, name: Buffer): void {
  const { context, source, staging } = shard;
  const fd = readingSource(source, name, () => openSync(source.at(name), safeRead));
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) {
      throw markSourceError(
        new CopyError('source_changed', { path: source.show(name), detail: kindOf(stat) }),
      );
    }
    // A file with blocks has the size of its content.
    if (stat.blocks === 0n)
      readingSource(source, name, () => assertTrueSize({ fd, stat }, source.show(name)));
    const file: TreeFile = { name, source, fd, stat };
    const target: TreeTarget = { chain: staging, name };
    if (stat.nlink > 1n && linkToCopy(shard, file)) return;
    if (reuseFile(shard, file, target)) context.result.reusedFiles += 1;
    else copyContent(shard, file, target);
    context.result.totals.bytes += Number(stat.size);
    context.result.totals.files += 1;
    context.slot.addFile();
    if (stat.nlink > 1n) adopt(shard, file);
  } finally {
    closeSync(fd);
  }
}

function copyContent({ context, copySmall, journal }: Shard, file: TreeFile, target: TreeTarget): void {
  const { size, blocks } = file.stat;
  // Without kernel calls holes cannot be found, but the engine recognises zeros.
  const isSparse = context.kernel === null && blocks * 512n < size;
  const isLarge = size >= largeBytes || isSparse;
  const { copy, countedBytes } = isLarge ? copyLargeFile(context, file, target) : copySmall(file, target);
  context.slot.addBytes(Number(size) - countedBytes);
  journal.add(file.name, { source: file.stat, copy }, isLarge);
}

/** Links to the copy of another name of the same file; false if there is none yet. */
function linkToCopy({ context, staging, links }: Shard, { name, stat }: TreeFile): boolean {
  if (context.request.resumed) removeEntry(staging, name);
  if (!staging.run(name, () => links.tryLink(stat, staging.at(name)))) return false;
  context.slot.addFile();
  context.result.totals.hardLinks += 1;
  return true;
}

/** Lets further names of this file link to its copy. */
function adopt({ context, staging, links }: Shard, { name, stat }: TreeFile): void {
  const { totals } = context.result;
  if (staging.run(name, () => links.adopt(stat, staging.at(name)))) return;
  totals.bytes -= Number(stat.size);
  totals.files -= 1;
  totals.hardLinks += 1;
}

function copySymlink({ context, source, staging }: Shard, name: Buffer): void {
  const { result, slot, request } = context;
  if (request.symlinks !== 'copy') {
    recordSkipped(context, showPath(source.relative(name)), 'symlink');
    return;
  }
  const stat = readingSource(source, name, () => lstatSync(source.at(name), { bigint: true }));
  const target = readingSource(source, name, () => readlinkSync(source.at(name), 'buffer'));
  if (request.resumed) removeEntry(staging, name);
  staging.run(name, () => {
    symlinkSync(target, staging.at(name));
    setLinkFacts(context, staging.at(name), stat);
  });
  result.totals.symlinks += 1;
  slot.addFile();
}
