/** Errors of uploads, and refusals of files from elsewhere. A part of the registry in `errors.ts`. */
export const uploadErrors = {
  length_required: {
    status: 411,
    message: 'The size of the file is missing.',
    hint: 'Send Upload-Length with the number of bytes.',
  },
  filename_missing: {
    status: 400,
    message: 'The upload has no name.',
    hint: 'Send the name of the image as filename in Upload-Metadata (tus clients: metadata).',
  },
  length_unknown: {
    status: 400,
    message: 'Uploads of unknown length are not supported.',
    hint: 'Send Upload-Length instead of Upload-Defer-Length.',
  },
  extension_unsupported: {
    status: 400,
    message: 'The server does not support an extension of tus that the request uses.',
    hint: 'Switch it off in the client; OPTIONS lists the supported extensions.',
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
    message: 'The image refers to other files, which it could read from this host; wcc does not use it.',
    hint: 'Use a self-contained image: convert it with qemu-img where those files are.',
  },
  damaged_image: {
    status: 422,
    message: 'The image is damaged or incomplete; wcc does not use it.',
    hint: 'Fetch the file again from its source, and compare its SHA-256.',
  },
  compressed_file: {
    status: 422,
    message: 'The file is compressed or an archive; wcc does not use it.',
    hint: 'Unpack it first, then use the image in it.',
  },
  not_an_image: {
    status: 422,
    message: 'The file is empty or surely not a disk; wcc does not use it.',
    hint: 'It may be an error page or a part of a download: open it, then fetch the image itself.',
  },
  unsupported_format: {
    status: 422,
    message: 'The format of the image is not supported; wcc does not use the file.',
    hint: 'Convert it to raw, qcow2 or iso first.',
  },
} as const;
