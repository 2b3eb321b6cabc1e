import { fstatSync, fsyncSync, lstatSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { systemCode } from '../kernel/errno.ts';
import { renameExclusively } from '../storage/rename-exclusively.ts';
import { parentChain, stagingChain, throwIfCancelled } from './context.ts';
import type { TreeContext } from './context.ts';
import type { DirectoryChain } from './directory-chain.ts';
import { assertEntry, unlinkIfExists, withOwnerAccess } from './staging.ts';
import { sidecarName, writeTreeSidecar } from './tree-sidecar.ts';
import { readNames, walkTree } from './walk.ts';

/** Gives the tree its final name, or moves its entries into the destination that exists. */
export function publishTree(context: TreeContext): void {
  const { request } = context;
  const parent = parentChain(context);
  const { staging, destination } = request.roots;
  try {
    if (staging !== null) {
      throwIfCancelled(context);
      const name = Buffer.from(staging.name);
      assertEntry(parent, name, staging.fd);
      recordPublishing(context, parent, staging.fd);
      if (destination.name === null) mergeTree(context, parent);
      else renameTree(context, parent, { name, fd: staging.fd, target: Buffer.from(destination.name) });
    }
    if (request.durable) parent.run(undefined, () => fsyncSync(parent.fd));
    parent.run(undefined, () => unlinkIfExists(parent.at(sidecarName(context))));
  } finally {
    parent.close();
  }
}

function recordPublishing(context: TreeContext, parent: DirectoryChain, stagingFd: number): void {
  const { totals, roots } = context.request;
  const stagingInode = fstatSync(stagingFd, { bigint: true }).ino;
  const sourceInode = fstatSync(roots.source.fd, { bigint: true }).ino;
  writeTreeSidecar(context, parent, { phase: 'publishing', stagingInode, sourceInode, totals });
}

function renameTree(
  context: TreeContext,
  parent: DirectoryChain,
  { name, fd, target }: { name: Buffer; fd: number; target: Buffer },
): void {
  parent.run(target, () => moveExclusively(context, parent.at(name), parent.at(target)));
  assertEntry(parent, target, fd);
}

/** Renames unless the new name exists. */
function moveExclusively({ kernel, result }: TreeContext, from: Buffer, to: Buffer): void {
  if (renameExclusively({ from, to, kernel, warnings: result.warnings }) === 'linked') unlinkSync(from);
}

/**
 * Moves entry by entry: whole directories where the destination has none, files elsewhere. Each entry appears
 * complete; the tree as a whole does not appear at once.
 */
function mergeTree(context: TreeContext, target: DirectoryChain): void {
  const { staging } = context.request.roots;
  const chain = stagingChain(context);
  const emptied: Buffer[] = [];
  try {
    walkTree(chain, {
      before(name) {
        if (moveMissingDirectory(context, { chain, target }, name)) return false;
        withOwnerAccess(chain, name);
        return true;
      },
      enter() {
        if (chain.depth > 0) target.push(chain.name);
      },
      entry: (name) => moveFile(context, { chain, target }, name),
      leave() {
        if (context.request.durable) target.run(undefined, () => fsyncSync(target.fd));
        target.pop();
      },
      left: (name) => chain.run(name, () => rmdirSync(chain.at(name))),
      failed(error) {
        throw error;
      },
    });
    readNames(chain, (name) => emptied.push(name));
  } finally {
    chain.close();
  }
  if (emptied.length > 0) throw new CopyError('destination_changed', { path: target.show(emptied[0]) });
  const name = Buffer.from(staging?.name ?? '');
  target.run(name, () => rmdirSync(target.at(name)));
}

interface Move {
  chain: DirectoryChain;
  target: DirectoryChain;
}

/** False if the destination has a directory of this name. */
function moveMissingDirectory(context: TreeContext, { chain, target }: Move, name: Buffer): boolean {
  const existing = target.run(name, () => lstatSync(target.at(name), { throwIfNoEntry: false }));
  if (existing !== undefined) {
    if (existing.isDirectory()) return false;
    throw new CopyError('exists', { path: target.show(name), detail: 'a directory cannot replace it' });
  }
  target.run(name, () => {
    try {
      moveExclusively(context, chain.at(name), target.at(name));
    } catch (error) {
      if (systemCode(error) !== 'EACCES') throw error;
      // A directory that its owner may not write cannot change its parent.
      withOwnerAccess(chain, name, () => moveExclusively(context, chain.at(name), target.at(name)));
    }
  });
  return true;
}

function moveFile(context: TreeContext, { chain, target }: Move, name: Buffer): void {
  target.run(name, () => {
    if (context.request.overwrite) renameSync(chain.at(name), target.at(name));
    else moveExclusively(context, chain.at(name), target.at(name));
  });
}
