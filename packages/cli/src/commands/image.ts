import type { LazyCommands } from './group.ts';

/** The subcommands of `wcc image`. */
export const imageCommands: LazyCommands = {
  ls: async () => (await import('./image/ls.ts')).addImageLs,
  show: async () => (await import('./image/show.ts')).addImageShow,
  upload: async () => (await import('./image/upload.ts')).addImageUpload,
  download: async () => (await import('./image/download.ts')).addImageDownload,
  copy: async () => (await import('./image/copy.ts')).addImageCopy,
  import: async () => (await import('./image/import.ts')).addImageImport,
  convert: async () => (await import('./image/convert.ts')).addImageConvert,
  verify: async () => (await import('./image/verify.ts')).addImageVerify,
  publish: async () => (await import('./image/publish.ts')).addImagePublish,
  'accept-base': async () => (await import('./image/accept-base.ts')).addImageAcceptBase,
  rm: async () => (await import('./image/rm.ts')).addImageRm,
};
