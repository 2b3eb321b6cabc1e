import { fchmodSync, fstatSync, lstatSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { TreeSidecar } from '../contract/tree-sidecar.ts';
import { showPath } from '../storage/paths.ts';
import { hiddenName, parentChain, stagingName, stagingChain } from './context.ts';
import type { TreeContext } from './context.ts';
import type { DirectoryChain } from './directory-chain.ts';
import { isJournal } from './journal.ts';
import { emptyDirectory, isEntry, removeEntry } from './staging.ts';
import { readBootId, readTreeSidecar, writeTreeSidecar } from './tree-sidecar.ts';
import { readNames } from './walk.ts';

const ownerOnly = 0o700;

/**
 * Finds the end of an earlier run that died while it published: its tree is then complete, even if the source has
 * changed since. Runs before the scan, because the scan would refuse the names that are already published. A tree that
 * has no entry under its final name yet is compared with the source again.
 */
export function findEarlierPublication(context: TreeContext): 'copy' | 'publish' | 'published' {
  const { request, result } = context;
  const parent = parentChain(context);
  const sidecar = request.resume ? readTreeSidecar(context, parent) : null;
  if (sidecar?.phase !== 'publishing') return 'copy';
  const isStaging = (name: Uint8Array): boolean => {
    const stat = lstatSync(parent.at(name), { bigint: true, throwIfNoEntry: false });
    return stat !== undefined && stat.isDirectory() && String(stat.ino) === sidecar.stagingInode;
  };
  const { name } = request.roots.destination;
  if (name !== null && !isStaging(name)) return 'copy';
  Object.assign(result.totals, sidecar.totals);
  // A merge removes the staging directory after its last entry.
  return name === null && isStaging(Buffer.from(stagingName(request.id))) ? 'publish' : 'published';
}

/** Locks the staging directory, and decides whether the files of an earlier run can be used. */
export function prepareStaging(context: TreeContext): void {
  const { request, result, kernel } = context;
  const { staging } = request.roots;
  const path = showPath(request.roots.destination.path);
  if (staging === null) throw new CopyError('worker_failed', { detail: 'no staging directory is open' });
  if (kernel !== null && !tryLock(kernel, staging.fd)) throw new CopyError('partial_in_use', { path });
  const parent = parentChain(context);
  // Another process may have published the directory between its creation here and the lock.
  if (!isEntry(parent, Buffer.from(staging.name), staging.fd))
    throw new CopyError('partial_in_use', { path });
  const stat = fstatSync(staging.fd, { bigint: true });
  // A new directory has another owner where the file system maps owners. An old one could be a trap of another user.
  if (!staging.isNew && Number(stat.uid) !== process.geteuid?.()) {
    throw new CopyError('permission', { path, detail: 'the staging directory belongs to another user' });
  }
  const sourceInode = fstatSync(request.roots.source.fd, { bigint: true }).ino;
  const sidecar = readTreeSidecar(context, parent);
  result.next = chooseNext(context, sidecar, { staging: stat.ino, source: sourceInode });
  if (result.next === 'publish') return;
  fchmodSync(staging.fd, ownerOnly);
  discardOld(context);
  const { totals } = request;
  writeTreeSidecar(context, parent, { phase: 'copy', stagingInode: stat.ino, sourceInode, totals });
}

function chooseNext(
  { request }: TreeContext,
  sidecar: TreeSidecar | null,
  inodes: { staging: bigint; source: bigint },
): 'copy' | 'resume' | 'publish' {
  if (!request.resume || sidecar?.stagingInode !== String(inodes.staging)) return 'copy';
  if (sidecar.phase === 'publishing' && request.roots.destination.name === null) return 'publish';
  const isSameBoot = sidecar.bootId !== '' && sidecar.bootId === readBootId();
  return isSameBoot && sidecar.sourceInode === String(inodes.source) ? 'resume' : 'copy';
}

function discardOld(context: TreeContext): void {
  const chain = stagingChain(context);
  try {
    if (context.result.next === 'copy') emptyDirectory(chain);
    else removeLinks(chain, hiddenName(context));
  } finally {
    chain.close();
  }
}

/** Removes the links of an earlier run, whose source files may have changed, and keeps the journals. */
function removeLinks(chain: DirectoryChain, hidden: Buffer): void {
  const stat = chain.run(hidden, () => lstatSync(chain.at(hidden), { throwIfNoEntry: false }));
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    removeEntry(chain, hidden);
    return;
  }
  chain.push(hidden);
  readNames(chain, (name) => {
    if (!isJournal(name)) removeEntry(chain, name);
  });
}

/** Also true, without a lock, on file systems that do not support locks. */
function tryLock(kernel: { tryLock(fd: number): boolean }, fd: number): boolean {
  try {
    return kernel.tryLock(fd);
  } catch {
    return true;
  }
}
