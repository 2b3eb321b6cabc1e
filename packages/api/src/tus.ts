/** The parts of tus 1.0 (https://tus.io/protocols/resumable-upload) that `/api/uploads` supports. */
export const tus = {
  version: '1.0.0',
  extensions: ['creation', 'creation-with-upload', 'expiration', 'checksum', 'termination'],
  checksumAlgorithms: ['sha1', 'md5', 'sha256'],
  /** Content type of a body with bytes of the file. */
  contentType: 'application/offset+octet-stream',
} as const;
export type ChecksumAlgorithm = (typeof tus.checksumAlgorithms)[number];
