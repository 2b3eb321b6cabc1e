import type { BigIntStats } from 'node:fs';
import { unpackTarget } from '../contract/checkpoint.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';

/** Whether the file with the final name is the one that this checkpoint's copy created. */
export function isPublished(
  checkpoint: Checkpoint,
  { target, name }: { target: BigIntStats | null; name: Uint8Array },
): boolean {
  return (
    checkpoint.phase === 'publishing' &&
    target !== null &&
    target.isFile() &&
    String(target.ino) === checkpoint.partialInode &&
    String(target.size) === checkpoint.source.size &&
    unpackTarget(checkpoint.target).equals(name)
  );
}
