import type { TreeRequest } from '../contract/tree.ts';

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

/** FNV-1a of 32 bits. */
export function hashBytes(bytes: Uint8Array): number {
  let hash = fnvOffset;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, fnvPrime);
  return hash >>> 0;
}

/** Each name belongs to one shard. The names of the source need no list for it. */
export function isOfShard({ shards, shard }: TreeRequest, nameHash: number): boolean {
  return shards === 1 || nameHash % shards === shard;
}
