import { linkSync, unlinkSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { systemCode } from '../kernel/errno.ts';
import { hiddenName, stagingChain } from './context.ts';
import type { TreeContext } from './context.ts';
import { makeDirectory } from './staging.ts';

/** Errors of file systems without hard links, or with a limit of links: the file is then copied again. */
const refusals: ReadonlySet<string> = new Set(['EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV']);

/**
 * The copies of files with several hard links, each once under a hidden name. The directory replaces a list in memory,
 * and serves all workers.
 */
export interface Links {
  /** Gives the copy of this source file another name; false if there is no copy yet. */
  tryLink(source: BigIntStats, place: Buffer): boolean;
  /** Remembers a complete copy. False if another worker was faster: `place` is now a link to its copy. */
  adopt(source: BigIntStats, place: Buffer): boolean;
  close(): void;
}

export function createLinks(context: TreeContext): Links {
  const chain = stagingChain(context);
  let isOpen = false;
  const nameOf = (source: BigIntStats): Buffer => {
    if (!isOpen) {
      const name = hiddenName(context);
      chain.run(name, () => makeDirectory(chain, name));
      chain.push(name);
      isOpen = true;
    }
    return Buffer.from(`${source.dev}-${source.ino}`);
  };
  const attempt = (from: Buffer, to: Buffer): boolean => {
    try {
      linkSync(from, to);
      return true;
    } catch (error) {
      const code = systemCode(error) ?? '';
      if (code === 'ENOENT') return false;
      if (!refusals.has(code)) throw error;
      const warning = `hard_link_copied_${code}`;
      if (!context.result.warnings.includes(warning)) context.result.warnings.push(warning);
      return false;
    }
  };
  return {
    tryLink: (source, place) => attempt(chain.at(nameOf(source)), place),
    adopt(source, place) {
      const first = chain.at(nameOf(source));
      try {
        attempt(place, first);
        return true;
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
      unlinkSync(place);
      linkSync(first, place);
      return false;
    },
    close: () => chain.close(),
  };
}
