import type { ReadBytes } from './discs.ts';
import { damaged } from './findings.ts';
import type { ContentRefusal } from './findings.ts';
import type { Qcow2Header } from './qcow2-header.ts';

/** Blocks of counts that are all zero have no cluster. A file with more of them in a row is left to qemu-img. */
const maxEmptyBlocks = 64;
/** Of the tables of the guest's data. If they are longer, the reference counts alone decide. */
const maxTableBytes = 64 * 1024 ** 2;

interface End {
  fileBytes: number;
  read: ReadBytes;
}

/**
 * Finds a used cluster beyond the end of the file, as `qemu-img check` does; the last one may be shorter. The reference counts say
 * without much reading where the last cluster is. After a crash of the host, they can be ahead of the file: then the tables
 * tell whether a missing cluster is used.
 */
export async function findMissingClusters(header: Qcow2Header, end: End): Promise<ContentRefusal | null> {
  const { clusterBytes, refcountAt, refcountBytes } = header;
  const last = await lastCluster(header, await end.read(refcountAt, refcountBytes), end.read);
  if (last === null || last * clusterBytes < end.fileBytes) return null;
  if (last !== Infinity && header.snapshots === 0 && !(await usesMissingCluster(header, end))) return null;
  return damaged('truncated', 'The file is truncated: its last clusters are missing.');
}

async function lastCluster(
  { clusterBytes, refcountOrder }: Qcow2Header,
  table: Uint8Array,
  read: ReadBytes,
): Promise<number | null> {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const bits = 2 ** refcountOrder;
  const countsPerBlock = (clusterBytes * 8) / bits;
  let empty = 0;
  for (let index = Math.floor(table.length / 8) - 1; index >= 0 && empty < maxEmptyBlocks; index -= 1) {
    const at = offsetIn(view, index * 8);
    if (at === 0) continue;
    if (!Number.isSafeInteger(at)) return null;
    const block = await read(at, clusterBytes);
    // The block itself is a cluster that is used.
    if (block.length === 0) return Infinity;
    const lastBit = findLastBit(block);
    if (lastBit >= 0) return index * countsPerBlock + Math.floor(lastBit / bits);
    empty += 1;
  }
  return null;
}

/** The place of the last bit that is set; negative: none is. Several counts in a byte begin with its lowest bit. */
function findLastBit(block: Uint8Array): number {
  let at = block.length - 1;
  while (at >= 0 && block[at] === 0) at -= 1;
  return at * 8 + 31 - Math.clz32(block[at] ?? 0);
}

/** Whether a table refers to a cluster beyond the end of the file, or the tables are too long to know. */
async function usesMissingCluster(header: Qcow2Header, { fileBytes, read }: End): Promise<boolean> {
  const { l1At, l1Bytes, l2EntryBytes, clusterBytes } = header;
  let leftBytes = maxTableBytes;
  const tables = offsetsOf(await read(l1At, l1Bytes), { entryBytes: 8, clusterBytes });
  for (const at of tables) {
    if (at === 0) continue;
    leftBytes -= clusterBytes;
    if (at >= fileBytes || leftBytes < 0) return true;
    const clusters = offsetsOf(await read(at, clusterBytes), { entryBytes: l2EntryBytes, clusterBytes });
    if (clusters.some((offset) => offset >= fileBytes)) return true;
  }
  return false;
}

/** The offsets in a table (sections "L1 table entry" and "L2 table entry"); 0: not allocated. */
function offsetsOf(
  table: Uint8Array,
  { entryBytes, clusterBytes }: { entryBytes: number; clusterBytes: number },
): number[] {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const compressedBits = 38 - Math.log2(clusterBytes);
  const offsets: number[] = [];
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    const isCompressed = (view.getUint32(at) & 0x4000_0000) !== 0;
    offsets.push(offsetIn(view, at, isCompressed ? compressedBits : 24));
  }
  return offsets;
}

/** An offset in whole sectors. Not exact beyond 2^53, where no file has bytes. */
function offsetIn(view: DataView, at: number, highBits = 32): number {
  const low = view.getUint32(at + 4);
  return (view.getUint32(at) % 2 ** highBits) * 2 ** 32 + low - (low % 512);
}
