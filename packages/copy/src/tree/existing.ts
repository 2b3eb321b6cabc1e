import { lstatSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { TreeContext } from './context.ts';
import type { DirectoryChain } from './directory-chain.ts';

/** The destination that a tree is merged into, followed beside the walk through the source. */
export interface Existing {
  enter(source: DirectoryChain): void;
  leave(): void;
  /** @throws CopyError `exists` if the name is taken and may not be replaced */
  assertFree(name: Buffer): void;
}

export function createExisting({ request }: TreeContext, parent: DirectoryChain): Existing {
  const merges = request.roots.destination.name === null;
  /** Levels below the last directory that exists on both sides. */
  let missing = merges ? 0 : 1;
  let isRoot = true;
  const statOf = (name: Buffer): ReturnType<typeof lstatSync> =>
    parent.run(name, () => lstatSync(parent.at(name), { throwIfNoEntry: false }));
  const followed = (name: Buffer): boolean => {
    const stat = statOf(name);
    if (stat === undefined) return false;
    if (!stat.isDirectory()) {
      throw new CopyError('exists', { path: parent.show(name), detail: 'a directory cannot replace it' });
    }
    const { dev } = parent.stat;
    parent.push(name);
    if (parent.stat.dev === dev) return true;
    throw new CopyError('cross_device', {
      path: parent.show(),
      detail: 'another file system is mounted here',
    });
  };
  return {
    enter(source) {
      if (isRoot) {
        isRoot = false;
        return;
      }
      if (missing > 0 || !followed(source.name)) missing += 1;
    },
    leave() {
      if (missing > 0) missing -= 1;
      else parent.pop();
    },
    assertFree(name) {
      if (missing > 0) return;
      const stat = statOf(name);
      if (stat === undefined) return;
      if (stat.isDirectory()) {
        throw new CopyError('exists', {
          path: parent.show(name),
          detail: 'a file cannot replace a directory',
        });
      }
      if (!request.overwrite) throw new CopyError('exists', { path: parent.show(name) });
    },
  };
}
