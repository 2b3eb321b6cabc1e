import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { systemCode } from '../kernel/errno.ts';
import { isSameFile } from './directory-chain.ts';
import type { DirectoryChain } from './directory-chain.ts';
import { readNames, walkTree } from './walk.ts';

const ownerOnly = 0o700;
const allBits = 0o7777;

/** Creates a directory that only its owner can enter, unless it exists. */
export function makeDirectory(chain: DirectoryChain, name: Buffer): void {
  try {
    mkdirSync(chain.at(name), { mode: ownerOnly });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** O_PATH, which Node does not name. It needs no permission on the directory itself. */
const pathOnly = 0x200000;
const openPath = pathOnly | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Gives the owner access to a directory in the current one, while a step runs or for ever. The copy of a directory may
 * have a mode that keeps an ordinary user from changing its entries.
 */
export function withOwnerAccess(chain: DirectoryChain, name: Buffer, step?: () => void): void {
  const fd = chain.run(name, () => openSync(chain.at(name), openPath));
  // The path of the descriptor leads to this directory even if the name is another one by now.
  const path = `/proc/self/fd/${fd}`;
  try {
    const mode = fstatSync(fd).mode & allBits;
    if ((mode & ownerOnly) !== ownerOnly) chain.run(name, () => chmodSync(path, ownerOnly));
    if (step === undefined) return;
    step();
    if ((mode & ownerOnly) !== ownerOnly) chain.run(name, () => chmodSync(path, mode));
  } finally {
    closeSync(fd);
  }
}

/** Rounds of removal: another program may add entries to a directory while it is removed. */
const removalRounds = 3;

/** Removes a file or a whole tree from the current directory, and never follows a symlink. */
export function removeEntry(chain: DirectoryChain, name: Buffer): void {
  const stat = chain.run(name, () => lstatSync(chain.at(name), { throwIfNoEntry: false }));
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    chain.run(name, () => unlinkIfExists(chain.at(name)));
    return;
  }
  withOwnerAccess(chain, name);
  chain.push(name);
  emptyDirectory(chain);
  chain.pop();
  chain.run(name, () => rmdirSync(chain.at(name)));
}

/** Removes everything in the current directory. */
export function emptyDirectory(chain: DirectoryChain): void {
  for (let round = 0; round < removalRounds; round += 1) {
    walkTree(chain, {
      before(name) {
        withOwnerAccess(chain, name);
        return true;
      },
      entry: (name) => unlinkIfExists(chain.at(name)),
      left: (name) => chain.run(name, () => rmdirSync(chain.at(name))),
      failed: (error) => {
        throw error;
      },
    });
    if (isEmpty(chain)) return;
  }
}

function isEmpty(chain: DirectoryChain): boolean {
  let isEmptyDirectory = true;
  readNames(chain, () => {
    isEmptyDirectory = false;
  });
  return isEmptyDirectory;
}

export function unlinkIfExists(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** Whether an entry of the current directory is the open directory `fd`. */
export function isEntry(chain: DirectoryChain, name: Uint8Array, fd: number): boolean {
  const stat = chain.run(name, () => lstatSync(chain.at(name), { bigint: true, throwIfNoEntry: false }));
  return stat !== undefined && isSameFile(stat, fstatSync(fd, { bigint: true }));
}

/** @throws CopyError `destination_changed` if the staging directory was moved or replaced */
export function assertEntry(chain: DirectoryChain, name: Uint8Array, fd: number): void {
  if (isEntry(chain, name, fd)) return;
  throw new CopyError('destination_changed', { path: chain.show(name), detail: 'it was moved or replaced' });
}
