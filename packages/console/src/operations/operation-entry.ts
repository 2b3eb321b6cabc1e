import type { Snapshot } from '@wcc/progress';
import type { Rights } from '@wcc/progress/protocol';

/** What this page knows of one operation. */
export interface OperationEntry {
  snapshot: Snapshot;
  may: Rights | null;
  /** The server no longer knows the operation; this is the last known state. */
  isUnknown: boolean;
  /** Loaded by HTTP after its end; the socket reports only recent ends. */
  isHistory: boolean;
}
