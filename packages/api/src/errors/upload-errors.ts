/** Errors of uploads, and refusals of files from elsewhere. A part of the registry in `errors.ts`. */
export const uploadErrors = {
  length_required: {
    status: 411,
    message: 'The size of the file is missing.',
    hint: 'Send Upload-Length with the number of bytes.',
  },
  length_unknown: {
    status: 400,
    message: 'Uploads of unknown length are not supported.',
    hint: 'Send Upload-Length instead of Upload-Defer-Length.',
  },
  tus_version: {
    status: 412,
    message: 'The server does not support this version of the tus protocol.',
    hint: 'Send Tus-Resumable: 1.0.0.',
  },
  quota_exceeded: {
    status: 403,
    message: 'Your unfinished uploads would exceed your quota.',
    hint: 'Finish or remove one of your unfinished uploads first.',
  },
  upload_locked: {
    status: 423,
    message: 'The upload does not accept bytes now.',
    hint: 'See the reason; try again in a moment.',
  },
  upload_gone: {
    status: 410,
    message: 'The upload has ended.',
    hint: 'Start a new upload.',
  },
  offset_mismatch: {
    status: 409,
    message: 'The bytes do not begin at the offset of the upload.',
    hint: 'Ask for the offset with HEAD, and resume there.',
  },
  checksum_mismatch: {
    status: 460,
    message: 'The received bytes do not match their checksum.',
    hint: 'Send them again from the same offset.',
  },
  wrong_file: {
    status: 409,
    message: 'This is not the file of the unfinished upload.',
    hint: 'Choose the same file again, or start a new upload.',
  },
  digest_mismatch: {
    status: 422,
    message: 'The received file does not have the announced SHA-256; wcc discarded it.',
    hint: 'Check the file and the digest, then upload it again.',
  },
  hostile_image: {
    status: 422,
    message: 'The image refers to other files or contains impossible values; wcc discarded it.',
    hint: 'Use a self-contained image from a source that you trust.',
  },
  unsupported_format: {
    status: 422,
    message: 'The format of the image is not supported; wcc discarded the file.',
    hint: 'Unpack or convert it to raw, qcow2 or iso first.',
  },
} as const;
