import type { Snapshot } from '@wcc/progress';
import type { Rights } from '@wcc/progress/client';

/** What this page knows of one operation. */
export interface OperationEntry {
  snapshot: Snapshot;
  may: Rights | null;
  /** The server no longer knows it; this is what was seen last. */
  isUnknown: boolean;
  /** It had ended before this page heard of it, beyond the minutes that the socket tells of. */
  isHistory: boolean;
}
