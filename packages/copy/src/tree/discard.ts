import { lstatSync, rmdirSync } from 'node:fs';
import { parentChain, stagingChain } from './context.ts';
import type { TreeContext } from './context.ts';
import { emptyDirectory, isEntry, unlinkIfExists } from './staging.ts';
import { readTreeSidecar, sidecarName } from './tree-sidecar.ts';
import { walkTree } from './walk.ts';

/** Removes the staging directory and its sidecar. */
export function discardTree(context: TreeContext): void {
  const { staging } = context.request.roots;
  if (staging === null) return;
  const chain = stagingChain(context);
  const parent = parentChain(context);
  try {
    const name = Buffer.from(staging.name);
    // After the rename, the same descriptor is the published tree, and the sidecar proves it to a later run.
    const isOurs = isEntry(parent, name, staging.fd);
    if (isOurs) {
      emptyDirectory(chain);
      rmdirSync(parent.at(name));
    }
    if (isOurs || readTreeSidecar(context, parent)?.phase !== 'publishing') {
      unlinkIfExists(parent.at(sidecarName(context)));
    }
  } finally {
    chain.close();
    parent.close();
  }
}

/** Adds up the blocks that the staging directory occupies. */
export function measureTree(context: TreeContext): void {
  const chain = stagingChain(context);
  const { totals } = context.result;
  try {
    walkTree(chain, {
      enter() {
        totals.allocatedBytes += Number(chain.stat.blocks * 512n);
      },
      entry(name) {
        const stat = lstatSync(chain.at(name), { bigint: true, throwIfNoEntry: false });
        if (stat !== undefined) totals.allocatedBytes += Number((stat.blocks * 512n) / stat.nlink);
      },
      failed() {},
    });
  } finally {
    chain.close();
  }
}
