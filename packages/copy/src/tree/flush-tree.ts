import { lstatSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { DirectoryChain } from './directory-chain.ts';
import {
  hiddenName,
  markSourceError,
  recordFailure,
  sourceChain,
  stagingChain,
  throwIfCancelled,
} from './context.ts';
import type { TreeContext } from './context.ts';
import { setFacts } from './file-facts.ts';
import { removeEntry } from './staging.ts';
import { readNames, walkTree } from './walk.ts';

/** Completes the staging directory: no hidden files, the facts of directories, everything durable. */
export function flushTree(context: TreeContext): void {
  const staging = stagingChain(context);
  try {
    removeEntry(staging, hiddenName(context));
    completeDirectories(context, staging);
    syncOnce(context, staging);
  } finally {
    staging.close();
  }
}

/** Sets the facts of directories after their last entry, because each entry changes the time of its directory. */
function completeDirectories(context: TreeContext, staging: DirectoryChain): void {
  const source = sourceChain(context);
  try {
    walkTree(source, {
      enter() {
        throwIfCancelled(context);
        if (source.depth > 0) {
          if (!isCopied(source, staging)) {
            const error = new CopyError('source_changed', { path: source.show() });
            recordFailure(context, markSourceError(error));
            return false;
          }
          staging.push(source.name);
        }
        prune(context, source, staging);
        context.result.totals.directories += 1;
        return true;
      },
      leave() {
        staging.run(undefined, () => setFacts(context, staging.fd, source.stat));
        staging.pop();
      },
      entry() {},
      failed: (error) => recordFailure(context, error),
    });
  } finally {
    source.close();
  }
}

/** False if the directory appeared after its parent was copied, or could not be read then. */
function isCopied({ name }: DirectoryChain, staging: DirectoryChain): boolean {
  return staging.run(name, () => lstatSync(staging.at(name), { throwIfNoEntry: false })) !== undefined;
}

/**
 * Finds what the staging directory has and the source no longer has. An earlier run may have copied it: then it goes.
 * Otherwise a directory has vanished while this run copied it.
 */
function prune(context: TreeContext, source: DirectoryChain, staging: DirectoryChain): void {
  const { resumed } = context.request;
  const gone: { name: Buffer; isDirectory: boolean }[] = [];
  readNames(staging, (name, dirent) => {
    const isDirectory = dirent.isDirectory();
    if ((isDirectory || resumed) && !isSameKind(source, name, dirent)) gone.push({ name, isDirectory });
  });
  for (const { name, isDirectory } of gone) {
    const error = new CopyError('source_changed', { path: source.show(name) });
    if (isDirectory && !resumed) recordFailure(context, markSourceError(error));
    removeEntry(staging, name);
  }
}

function isSameKind(source: DirectoryChain, name: Buffer, copy: Dirent): boolean {
  const stat = lstatSync(source.at(name), { throwIfNoEntry: false });
  return (
    stat !== undefined &&
    stat.isDirectory() === copy.isDirectory() &&
    stat.isFile() === copy.isFile() &&
    stat.isSymbolicLink() === copy.isSymbolicLink()
  );
}

/**
 * One syncfs for the whole tree. It also writes what other programs have written to this file system. Without it, every
 * file and directory was synced when its facts were set.
 */
function syncOnce({ request, kernel, syncsEach }: TreeContext, staging: DirectoryChain): void {
  if (!request.durable || syncsEach || kernel === null) return;
  staging.run(undefined, () => kernel.syncFileSystem(staging.fd));
}
