export { canClone } from './clone/can-clone.ts';
export { digestFile } from './digest/digest-file.ts';
export type { DigestJob, FileDigest } from './digest/digest-file.ts';
export { CopyError, copyErrors } from './errors.ts';
export type { CopyErrorCode, CopyErrorDetails, CopyErrorEntry } from './errors.ts';
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
export { createReceived, openReceived, publishReceived } from './receive/partial-file.ts';
export type { ReceivedFile, Receiving } from './receive/partial-file.ts';
export type { Checkpoint } from './contract/checkpoint.ts';
export {
  forget,
  listRemains,
  readCheckpoint,
  removeRemains,
  settlePublication,
} from './recovery/partials.ts';
export type { Remains } from './recovery/partials.ts';
export { freeSpace } from './storage/free-space.ts';
export type { FreeSpace } from './storage/free-space.ts';
export { lockFile } from './storage/lock-file.ts';
export type { FileLock } from './storage/lock-file.ts';
