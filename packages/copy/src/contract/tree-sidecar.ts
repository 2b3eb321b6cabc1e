import type { Checkpoint } from './checkpoint.ts';
import type { TreeTotals } from './tree.ts';

/** What a later run needs to know about a staging directory. */
export interface TreeSidecar {
  version: 1;
  kind: 'tree';
  operation: string;
  /** `publishing`: every entry is complete; entries are being renamed, or are renamed. */
  phase: 'copy' | 'publishing';
  /**
   * Identifies one start of the system. Within it, the page cache has everything that a killed process has written;
   * after a power cut, neither the facts of a file nor the journals prove its content.
   */
  bootId: string;
  stagingInode: string;
  sourceInode: string;
  /** The final name; empty when the tree is merged into the directory of this sidecar. */
  target: Checkpoint['target'];
  totals: TreeTotals;
}

const textFields = ['operation', 'bootId', 'stagingInode', 'sourceInode'] as const;
const totalFields = ['files', 'directories', 'symlinks', 'hardLinks', 'bytes', 'allocatedBytes'] as const;

/** Other programs can write to the directory, so anything unexpected makes a sidecar invalid. */
export function parseTreeSidecar(text: string): TreeSidecar | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // incomplete, or a foreign file
  }
  if (!isRecord(value) || value['version'] !== 1 || value['kind'] !== 'tree') return null;
  const { phase, target, totals } = value;
  if (phase !== 'copy' && phase !== 'publishing') return null;
  if (!textFields.every((field) => typeof value[field] === 'string')) return null;
  if (typeof target !== 'string' && !(isRecord(target) && typeof target['base64'] === 'string')) return null;
  if (!isRecord(totals) || !totalFields.every((field) => Number.isSafeInteger(totals[field]))) return null;
  return value as unknown as TreeSidecar;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
