import { createSlot } from '../contract/slot.ts';
import type { SlotReader } from '../contract/slot.ts';
import type { CopyTreeProgress, TreeTotals } from '../contract/tree.ts';
import { createTreeSlot } from '../contract/tree-slot.ts';
import type { TreeSlotReader } from '../contract/tree-slot.ts';
import { showPath } from '../storage/paths.ts';

/** Shared memory of one worker. */
export interface ShardMemory {
  tree: TreeSlotReader;
  /** Of the large file at work. */
  file: SlotReader;
}

/** Adds up what all workers report. */
export interface TreeMonitor {
  readonly shards: readonly ShardMemory[];
  read(): CopyTreeProgress;
  enter(phase: CopyTreeProgress['phase']): void;
  setTotals(totals: TreeTotals): void;
  cancel(): void;
}

export function createTreeMonitor(count: number): TreeMonitor {
  const shards = Array.from({ length: count }, () => ({ tree: createTreeSlot(), file: createSlot(null) }));
  const startedMs = performance.now();
  let phase: CopyTreeProgress['phase'] = 'scan';
  let totals: TreeTotals | null = null;
  const most = { files: 0, bytes: 0 };
  return {
    shards,
    read() {
      most.files = Math.max(
        most.files,
        sum(shards, ({ tree }) => tree.files()),
      );
      most.bytes = Math.max(most.bytes, sum(shards, doneBytes));
      const path = shards.map(({ tree }) => tree.path()).find((each) => each.length > 0);
      return {
        phase,
        doneFiles: most.files,
        // Entries may appear after the scan.
        totalFiles: totals === null ? null : Math.max(most.files, countEntries(totals)),
        doneBytes: most.bytes,
        totalBytes: totals === null ? null : Math.max(most.bytes, totals.bytes),
        path: path === undefined ? null : showPath(path),
        elapsedMs: performance.now() - startedMs,
      };
    },
    enter: (next) => {
      phase = next;
    },
    setTotals: (counted) => {
      totals = counted;
    },
    cancel() {
      for (const { tree, file } of shards) {
        tree.stop();
        file.stop('cancel');
      }
    },
  };
}

function countEntries({ files, symlinks, hardLinks }: TreeTotals): number {
  return files + symlinks + hardLinks;
}

/** Includes the part of a large file that is written back. */
function doneBytes({ tree, file }: ShardMemory): number {
  const sizeBytes = tree.largeBytes();
  const bytes = tree.bytes();
  if (sizeBytes === 0) return bytes;
  const { phase, doneBytes: done, totalBytes } = file.read();
  const share = phase === 'transfer' && totalBytes !== null && totalBytes > 0 ? done / totalBytes : 0;
  return bytes + Math.floor(sizeBytes * Math.min(1, share));
}

function sum(shards: readonly ShardMemory[], of: (shard: ShardMemory) => number): number {
  return shards.reduce((total, shard) => total + of(shard), 0);
}
