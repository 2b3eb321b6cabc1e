export { canClone } from './job/can-clone.ts';
export { copyFile, startCopy } from './job/copy-file.ts';
export { hashFile } from './job/hash-file.ts';
export { inspectFile } from './job/inspect-file.ts';
export { preload } from './job/pool.ts';
export { support } from './kernel/calls.ts';
export { copyTree } from './tree/copy-tree.ts';
export { freeSpace } from './storage/free-space.ts';
export { isOpenElsewhere } from './storage/open-elsewhere.ts';
export { lockFile } from './storage/lock-file.ts';
export { CopyError, copyErrors } from './contract/errors.ts';
export type { CopyErrorCode } from './contract/errors.ts';
export type { FileFacts } from './contract/file-facts.ts';
export type { CopyTreeOptions, CopyTreeProgress, CopyTreeResult } from './contract/tree.ts';
export { copyPhaseNames } from './contract/types.ts';
export type {
  CopyJob,
  CopyOptions,
  CopyPhaseEvent,
  CopyProgress,
  CopyResult,
  FileIdentity,
  PathLike,
} from './contract/types.ts';
