export {
  createPartial as create,
  openPartial as open,
  publishPartial as publish,
} from './receive/partial-file.ts';
export type { PartialFile, ReceiveTarget } from './receive/partial-file.ts';
export { createDurableWriter } from './receive/durable-writer.ts';
export type { DurableWriter, DurableWriterOptions } from './receive/durable-writer.ts';
export { freeBuffers } from './receive/free-buffers.ts';
export type { Limit } from './receive/durability.ts';
export { partialPath, sidecarPath } from './storage/paths.ts';
export { renameFile as renameExclusively } from './publish/rename-file.ts';
export { allocateSpace } from './storage/allocate-space.ts';
export { syncDirectory } from './storage/sync-directory.ts';
