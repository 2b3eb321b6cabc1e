/** Errors of image files and of operations on images. A part of the registry in `errors.ts`. */
export const imageErrors = {
  image_unavailable: {
    status: 409,
    message: 'The image is not usable now.',
    hint: 'Check its state; rescan the pool when the file is back.',
  },
  image_in_use: {
    status: 409,
    message: 'The image is in use.',
    hint: 'Wait for the operations that use it, or delete the machines and images that use it.',
  },
  base_changed: {
    status: 409,
    message: 'The image that the disk is based on has changed since the disk was made.',
    hint: 'Put the earlier file back, or let an administrator accept a file of the same content.',
  },
  image_protected: {
    status: 409,
    message: 'The image is a template, which protects it from deletion.',
    hint: 'Remove the template mark first.',
  },
  image_too_large: {
    status: 422,
    message: 'The image is larger than this server accepts.',
    hint: 'An administrator can raise the limit with --max-virtual-size.',
  },
  precondition_failed: {
    status: 412,
    message: 'The image is not in the state that the request names.',
    hint: 'Download it again from its beginning.',
  },
  range_unsatisfiable: {
    status: 416,
    message: 'The range begins after the end of the image.',
    hint: 'Request existing bytes; Content-Range names the size.',
  },
  import_refused: {
    status: 422,
    message: 'The server does not import from this address.',
    hint: 'Use a public http or https address; an administrator can allow others with --import-allow.',
  },
  import_scheme: {
    status: 422,
    message: 'The server imports http and https addresses only.',
    hint: 'Download the file with another program, then upload it.',
  },
  import_credentials: {
    status: 422,
    message: 'The address contains a user name or a password, and wcc does not store these.',
    hint: 'Use an address without them, e.g. a signed link, or download the file and upload it.',
  },
  import_sign_in: {
    status: 502,
    message: 'The other server demands a sign-in, or the link has expired.',
    hint: 'Use an address without a sign-in, e.g. a new signed link, or upload the file yourself.',
  },
  import_failed: {
    status: 502,
    message: 'The other server did not deliver the file.',
    hint: 'Open the address in a browser; try again later.',
  },
  tool_missing: {
    status: 503,
    message: 'A program that this needs is not installed on the server.',
    hint: 'Install the named package.',
  },
  tool_failed: {
    status: 500,
    message: 'A program of this host failed.',
    hint: "See its output in the server's log.",
  },
  clone_unsupported: {
    status: 409,
    message: 'The file system cannot share blocks between these files.',
    hint: 'Use the method "auto" or "copy".',
  },
  source_in_use: {
    status: 409,
    message: 'A program has the source open for writing.',
    hint: 'Stop that machine or program, then try again.',
  },
  source_changed: {
    status: 409,
    message: 'The source changed during the copy.',
    hint: 'Try again when no program writes to it.',
  },
  source_vanished: {
    status: 409,
    message: 'The source file is gone.',
    hint: 'Put it back and rescan the pool.',
  },
  not_regular: {
    status: 409,
    message: 'This is not a regular file.',
    hint: 'Use a regular file; wcc refuses links, pipes and devices.',
  },
  verify_mismatch: {
    status: 500,
    message: 'The copy differs from the source; wcc did not publish it.',
    hint: 'Check the disk and the memory of this host.',
  },
  no_space: {
    status: 507,
    message: 'There is not enough free space.',
    hint: 'Free space in the pool, or use a smaller image.',
  },
  no_inodes: {
    status: 507,
    message: 'The file system cannot hold more files: it has no free inodes.',
    hint: 'Delete files there that are not needed. Small files count as much as large ones.',
  },
  quota: {
    status: 507,
    message: 'The quota of the file system is used up.',
    hint: 'Raise the quota, or free space.',
  },
  too_large: {
    status: 422,
    message: 'The file would be larger than the file system allows.',
    hint: 'Use a pool on another file system.',
  },
  permission: {
    status: 403,
    message: 'The file system denies access.',
    hint: 'Give the user that runs wcc read and write access to the pool.',
  },
  read_only: {
    status: 503,
    message: 'The file system is read-only.',
    hint: 'Check the disk, then mount it writable again.',
  },
  pool_unavailable: {
    status: 503,
    message: 'The pool is not available.',
    hint: 'See the named reason; wcc wrote nothing.',
  },
  data_dir_unavailable: {
    status: 503,
    message: 'The data directory of wcc is not available.',
    hint: 'Mount or restore the directory of --data-dir, then resume.',
  },
  resources: {
    status: 503,
    message: 'The server has too many open files, or too little memory.',
    hint: 'Try again. If this continues, raise the limit on open files (LimitNOFILE) or the memory.',
  },
  busy: {
    status: 503,
    message: 'The file system was busy.',
    hint: 'Try again. If this continues, see what else uses the directory of the pool.',
  },
  io_error: {
    status: 500,
    message: 'The disk reported an input or output error.',
    hint: 'Check the disk (dmesg, SMART), then try again.',
  },
} as const;
