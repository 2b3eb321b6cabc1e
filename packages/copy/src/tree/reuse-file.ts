import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { systemCode } from '../kernel/errno.ts';
import { compareIdentity, identityOf } from '../run/source.ts';
import { throwIfCancelled } from './context.ts';
import type { TreeContext } from './context.ts';
import { canBeComplete, setFacts } from './file-facts.ts';
import type { Journal } from './journal.ts';
import { hasSameContent } from './same-content.ts';
import type { TreeFile, TreeTarget } from './small-file.ts';
import { removeEntry } from './staging.ts';

const bufferBytes = 1024 ** 2;
const safeRead = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Keeps a complete file of an earlier run, and removes any other entry of the same name. Without a record of both
 * states, only an equal content proves that the file is complete.
 */
export function reuseFile(
  { context, journal }: { context: TreeContext; journal: Journal },
  file: TreeFile,
  target: TreeTarget,
): boolean {
  const { chain, name } = target;
  if (!context.request.resumed) return false;
  const copy = chain.run(name, () => lstatSync(chain.at(name), { bigint: true, throwIfNoEntry: false }));
  if (copy === undefined) return false;
  if (canBeComplete(context, { copy, source: file.stat })) {
    if (journal.has({ source: file.stat, copy })) {
      context.slot.addBytes(Number(file.stat.size));
      return true;
    }
    const confirmed = confirmCopy(context, file, target);
    if (confirmed !== null) {
      journal.add(name, { source: file.stat, copy: confirmed }, true);
      return true;
    }
  }
  removeEntry(chain, name);
  return false;
}

/** Compares the content. Returns the state of the copy, or null if it is another one or cannot be read. */
function confirmCopy(context: TreeContext, file: TreeFile, { chain, name }: TreeTarget): BigIntStats | null {
  const fd = openCopy(chain.at(name));
  if (fd === null) return null;
  let counted = 0;
  const onEqual = (bytes: number): void => {
    throwIfCancelled(context);
    counted += bytes;
    context.slot.addBytes(bytes);
  };
  try {
    const buffer = Buffer.allocUnsafeSlow(bufferBytes);
    const pair = { source: file.fd, copy: fd, sizeBytes: file.stat.size, buffer, kernel: context.kernel };
    const isSame = chain.run(name, () => hasSameContent({ ...pair, onEqual })) && isUntouched(file);
    if (!isSame) {
      context.slot.addBytes(-counted);
      return null;
    }
    chain.run(name, () => setFacts(context, fd, file.stat));
    return fstatSync(fd, { bigint: true });
  } finally {
    closeSync(fd);
  }
}

/** Null without the permission to read: the copy has the mode of the source, but another owner. */
function openCopy(path: Buffer): number | null {
  try {
    return openSync(path, safeRead);
  } catch (error) {
    if (systemCode(error) === 'EACCES') return null;
    throw error;
  }
}

function isUntouched({ fd, stat }: TreeFile): boolean {
  return compareIdentity(identityOf(stat), identityOf(fstatSync(fd, { bigint: true }))) === 'same';
}
