import type { ErrorEntry } from './error-entry.ts';

/** What a file that comes from outside can be refused for. */
export const uploadErrors = {
  length_required: {
    status: 411,
    message: 'The size of the file is missing.',
    hint: 'Send Upload-Length with the number of bytes.',
  },
  length_unknown: {
    status: 400,
    message: 'Uploads of unknown length are not taken.',
    hint: 'Send Upload-Length at the creation; Upload-Defer-Length is not supported.',
  },
  tus_version: {
    status: 412,
    message: 'This version of the tus protocol is not spoken here.',
    hint: 'Send Tus-Resumable: 1.0.0.',
  },
  quota_exceeded: {
    status: 403,
    message: 'Your unfinished uploads would take more than you may use.',
    hint: 'Finish or remove one of your unfinished uploads first.',
  },
  upload_locked: {
    status: 423,
    message: 'The upload takes no bytes now.',
    hint: 'See the reason; try again in a moment.',
  },
  upload_gone: {
    status: 410,
    message: 'This upload is over.',
    hint: 'Start a new upload.',
  },
  offset_mismatch: {
    status: 409,
    message: 'The bytes do not continue where the upload stands.',
    hint: 'Ask by HEAD for the offset, and go on from there.',
  },
  checksum_mismatch: {
    status: 460,
    message: 'The bytes that arrived do not have the checksum that was sent.',
    hint: 'Send them again from the same offset.',
  },
  wrong_file: {
    status: 409,
    message: 'This is not the file whose upload was begun.',
    hint: 'Choose the same file again, or start a new upload.',
  },
  digest_mismatch: {
    status: 422,
    message: 'The file that arrived does not have the SHA-256 that was announced; nothing was kept.',
    hint: 'Check the file and the digest, then upload it again.',
  },
  hostile_image: {
    status: 422,
    message:
      'The image would make a program read other files or claims what cannot be true; nothing was kept.',
    hint: 'Use an image that stands on its own, from a source that you trust.',
  },
  unsupported_format: {
    status: 422,
    message: 'Files of this format are no images here; nothing was kept.',
    hint: 'Unpack or convert it to raw, qcow2 or iso first.',
  },
} as const satisfies Record<string, ErrorEntry>;
