import { canClone, CopyError, inspectFile } from '@wcc/copy';
import type { FileFacts } from '@wcc/copy';
import { createSharedWork } from '../concurrency/shared-work.ts';

/** Looks at files of images. What takes long is done once for each state of a file, and callers at one time share it. */
export interface FileLooks {
  /** The facts of now. The extents are counted once for each state of the file. */
  inspect(path: string, signal?: AbortSignal): Promise<FileFacts>;
  /** Whether a copy in a directory can probably share blocks. The copy itself tries it again. */
  forecastClone(source: LookedAt, directory: string, signal?: AbortSignal): Promise<boolean>;
}

/** A file and its facts. */
export interface LookedAt {
  path: string;
  facts: FileFacts;
}

type Counted = Pick<FileFacts, 'dataBytes' | 'extentCount'>;

const maxKept = 1000;

export function createFileLooks(): FileLooks {
  const counts = createSharedWork<Counted>({ maxKept });
  const clones = createSharedWork<boolean>({ maxKept });
  return {
    async inspect(path, signal) {
      const facts = await inspectFile(path, { headBytes: 0, extents: 'skip', ...(signal && { signal }) });
      // Callers refuse a file that a program writes.
      if (facts.writers === 'some') return facts;
      const count = async (stopping: AbortSignal): Promise<Counted> => {
        const { dataBytes, extentCount } = await inspectFile(path, { headBytes: 0, signal: stopping });
        return { dataBytes, extentCount };
      };
      return { ...facts, ...(await counts.get(keyOf({ path, facts }), count, signal)) };
    },
    forecastClone: (source, directory, signal) =>
      // A failure may pass, so only answers are kept.
      falseIfFailed(
        clones.get(`${keyOf(source)} ${directory}`, () => canClone(source.path, directory), signal),
      ),
  };
}

/** Tries to share blocks. */
export function triesClone(path: string, directory: string): Promise<boolean> {
  return falseIfFailed(canClone(path, directory));
}

/** A failure means no, because a copy can always be made otherwise. */
async function falseIfFailed(answer: Promise<boolean>): Promise<boolean> {
  return answer.catch((error: unknown) => {
    if (error instanceof CopyError) return false;
    throw error;
  });
}

/** Names one state of one file. */
function keyOf({ path, facts }: LookedAt): string {
  const { inode, sizeBytes, mtimeNs, ctimeNs } = facts;
  return `${inode}:${sizeBytes}:${mtimeNs}:${ctimeNs} ${path}`;
}
