export { canClone } from './clone/can-clone.ts';
export { digestFile, type DigestJob, type FileDigest } from './digest/digest-file.ts';
export {
  CopyError,
  copyErrors,
  type CopyErrorCode,
  type CopyErrorDetails,
  type CopyErrorEntry,
} from './errors.ts';
export { inspectFile } from './inspect/inspect-file.ts';
export type { FileFacts, InspectOptions } from './inspect/types.ts';
export type { SourceIdentity } from './run/source.ts';
export { copyFile } from './job/copy-file.ts';
export { warmUp } from './job/pool.ts';
export type {
  CopyFacts,
  CopyJob,
  CopyMethod,
  CopyOptions,
  CopyPhaseEvent,
  CopyPhaseName,
  CopyProgress,
  CopyResult,
  PathLike,
} from './contract/types.ts';
export { kernelSupport } from './kernel/calls.ts';
export {
  createReceived,
  openReceived,
  publishReceived,
  type ReceivedFile,
  type Receiving,
} from './receive/partial-file.ts';
export type { Checkpoint } from './contract/checkpoint.ts';
export {
  forget,
  listRemains,
  readCheckpoint,
  type Remains,
  removeRemains,
  settlePublication,
} from './recovery/partials.ts';
export { freeSpace, type FreeSpace } from './storage/free-space.ts';
export { type FileLock, lockFile } from './storage/lock-file.ts';
