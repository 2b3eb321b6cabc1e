export { canClone } from './job/can-clone.ts';
export { digestFile } from './job/digest-file.ts';
export type { DigestJob } from './job/digest-file.ts';
export type { FileDigest } from './contract/digest.ts';
export { CopyError, copyErrors } from './contract/errors.ts';
export type { CopyErrorCode, CopyErrorDetails, CopyErrorEntry } from './contract/errors.ts';
export { inspectFile } from './job/inspect-file.ts';
export type { FileFacts, InspectOptions } from './contract/file-facts.ts';
export { copyFile } from './job/copy-file.ts';
export { warmUp } from './job/pool.ts';
export { copyPhaseNames } from './contract/types.ts';
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
  SourceIdentity,
} from './contract/types.ts';
export { kernelSupport } from './kernel/calls.ts';
export { createDurableWriter } from './receive/durable-writer.ts';
export type { DurableWriter, DurableWriterOptions } from './receive/durable-writer.ts';
export type { Limit } from './receive/durability.ts';
export {
  createPartial as createReceived,
  openPartial as openReceived,
  publishPartial as publishReceived,
} from './receive/partial-file.ts';
export type { PartialFile as ReceivedFile, ReceiveTarget as Receiving } from './receive/partial-file.ts';
export type { Checkpoint } from './contract/checkpoint.ts';
export {
  listPartials as listRemains,
  readCheckpoint,
  recoverPublication as settlePublication,
  removePartial as removeRemains,
  removeSidecar as forget,
} from './recovery/partials.ts';
export type { FoundPartial as Remains } from './recovery/partials.ts';
export { freeSpace } from './storage/free-space.ts';
export type { FreeSpace } from './storage/free-space.ts';
export { lockFile } from './storage/lock-file.ts';
export type { FileLock } from './storage/lock-file.ts';
export { partialPath, sidecarPath } from './storage/paths.ts';
export { syncDirectory } from './storage/sync-directory.ts';
