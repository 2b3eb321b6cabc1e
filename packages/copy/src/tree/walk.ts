import { opendirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { hereName } from './directory-chain.ts';
import type { DirectoryChain } from './directory-chain.ts';
import { markSourceError } from './context.ts';
import { NameList } from './name-list.ts';

/** What a directory lists: `special` is a socket, FIFO or device. */
export type EntryKind = 'file' | 'symlink' | 'special';

export interface TreeVisitor {
  /** Called for each entry that is not a directory. */
  entry(name: Buffer, kind: EntryKind, dirent: Dirent): void;
  /** Called before a directory is entered. False leaves it out. */
  before?(name: Buffer): boolean;
  /** Called when a directory is current, before its entries. False leaves it out. */
  enter?(): boolean | void;
  /** Called when everything below the current directory is done. */
  leave?(): void;
  /** Called in the parent after a directory was left. */
  left?(name: Buffer): void;
  /** A directory cannot be entered, or an entry failed. Throws to stop the walk. */
  failed(error: unknown, what: 'directory' | 'entry'): void;
}

/** Names read at once. */
const bufferedNames = 128;

/**
 * Visits a tree depth first. Keeps only the names of subdirectories in memory, so that a directory of a million
 * files needs no list, and uses no recursion, so that depth is not limited.
 */
export function walkTree(chain: DirectoryChain, visitor: TreeVisitor): void {
  visitor.enter?.();
  const pending = [listDirectory(chain, visitor)];
  for (;;) {
    const names = pending.at(-1);
    if (names === undefined) return;
    const name = names.next();
    if (name !== null) {
      if (enter(chain, { visitor, name })) pending.push(listDirectory(chain, visitor));
      continue;
    }
    visitor.leave?.();
    pending.pop();
    if (pending.length === 0) return;
    const left = chain.name;
    chain.pop();
    visitor.left?.(left);
  }
}

function enter(chain: DirectoryChain, { visitor, name }: { visitor: TreeVisitor; name: Buffer }): boolean {
  try {
    if (visitor.before?.(name) === false) return false;
    chain.push(name);
  } catch (error) {
    visitor.failed(markSourceError(error), 'directory');
    return false;
  }
  if (visitor.enter?.() !== false) return true;
  chain.pop();
  return false;
}

/** Visits the entries of the current directory. Returns the names of its subdirectories. */
function listDirectory(chain: DirectoryChain, visitor: TreeVisitor): NameList {
  const directories = new NameList();
  readNames(chain, (name, dirent) => {
    if (dirent.isDirectory()) {
      directories.add(name);
      return;
    }
    const kind = dirent.isFile() ? 'file' : dirent.isSymbolicLink() ? 'symlink' : 'special';
    try {
      visitor.entry(name, kind, dirent);
    } catch (error) {
      visitor.failed(error, 'entry');
    }
  });
  return directories;
}

/** Reads the names of the current directory as bytes. */
export function readNames(chain: DirectoryChain, visit: (name: Buffer, dirent: Dirent) => void): void {
  // Node's types have no 'buffer' here, but its directories return names as bytes with it.
  const options = { encoding: 'buffer' as BufferEncoding, bufferSize: bufferedNames };
  const directory = chain.run(undefined, () => opendirSync(chain.at(hereName), options));
  try {
    for (;;) {
      const dirent = chain.run(undefined, () => directory.readSync());
      if (dirent === null) return;
      visit(nameOf(dirent), dirent);
    }
  } finally {
    directory.closeSync();
  }
}

/** @throws CopyError `unsupported` in a runtime that lists text, in which names that are not UTF-8 are lost */
function nameOf(dirent: Dirent): Buffer {
  const name: unknown = dirent.name;
  if (Buffer.isBuffer(name)) return name;
  throw new CopyError('unsupported', {
    detail: 'copyTree needs Node.js: this runtime cannot list the names of a directory as bytes',
  });
}

export function kindOfSpecial(dirent: Dirent): string {
  if (dirent.isSocket()) return 'socket';
  if (dirent.isFIFO()) return 'FIFO';
  return 'device';
}
