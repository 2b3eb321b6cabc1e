import { tus } from '../tus.ts';
import { matchedUpload, matchUploadRequest, upload, uploadList, uploadQuery } from '../uploads.ts';
import type { Endpoint, Field } from './endpoint.ts';

const version: Field = { name: 'Tus-Resumable', description: `\`${tus.version}\``, required: true };
const offset: Field = { name: 'Upload-Offset', description: 'Number of durable bytes: written and synced.' };
const expires: Field = {
  name: 'Upload-Expires',
  description: 'When wcc removes the upload unless the client resumes it.',
};
const checksum: Field = {
  name: 'Upload-Checksum',
  description: `Checksum of this body: ${tus.checksumAlgorithms.join(', ')}, then the digest in base64.`,
};
const one = '/api/uploads/{id}';
const refused = [
  'hostile_image',
  'damaged_image',
  'compressed_file',
  'not_an_image',
  'image_too_large',
  'unsupported_format',
  'digest_mismatch',
  'no_space',
  'no_inodes',
] as const;

/** tus 1.0 (https://tus.io/protocols/resumable-upload), and endpoints that list and check uploads. */
export const uploadEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/api/uploads',
    tag: 'Uploads',
    summary: 'List the unfinished uploads',
    query: uploadQuery,
    answer: {
      status: 200,
      description: 'Your uploads; for administrators, all uploads.',
      schema: uploadList,
    },
  },
  {
    method: 'POST',
    path: '/api/uploads',
    tag: 'Uploads',
    summary: 'Start an upload',
    description:
      'The id of an upload is the id of its operation. A body contains the first bytes of the file.',
    headers: [
      version,
      { name: 'Upload-Length', description: 'Size of the file in bytes.', required: true },
      {
        name: 'Upload-Metadata',
        description: '`filename` (name of the image); optional: `pool`, `sha256`, `format`, `lastModified`.',
        required: true,
      },
      checksum,
    ],
    bodyType: tus.contentType,
    isBodyOptional: true,
    answer: {
      status: 201,
      description: 'Created and durable.',
      headers: [{ name: 'Location', description: 'The address of the upload.' }, offset, expires],
    },
    errors: [
      'tus_version',
      'extension_unsupported',
      'length_required',
      'length_unknown',
      'payload_too_large',
      'invalid_name',
      'exists',
      'quota_exceeded',
      'too_large',
      ...refused,
    ],
  },
  ...['/api/uploads', one].map((path): Endpoint => ({
    method: 'OPTIONS',
    path,
    tag: 'Uploads',
    summary: 'Get the supported parts of tus',
    signedIn: 'none',
    answer: {
      status: 204,
      description: 'The supported parts are in the headers.',
      headers: [
        { name: 'Tus-Version', description: tus.version },
        { name: 'Tus-Extension', description: tus.extensions.join(',') },
        { name: 'Tus-Max-Size', description: 'Maximum size of a file in bytes (`--max-virtual-size`).' },
        { name: 'Tus-Checksum-Algorithm', description: tus.checksumAlgorithms.join(',') },
      ],
    },
  })),
  {
    method: 'GET',
    path: one,
    tag: 'Uploads',
    summary: 'Get an unfinished upload',
    answer: { status: 200, description: 'The upload.', schema: upload },
    errors: ['upload_gone'],
  },
  {
    method: 'HEAD',
    path: one,
    tag: 'Uploads',
    summary: 'Get the offset of an upload',
    headers: [version],
    answer: {
      status: 200,
      description: 'The headers contain the offset. A running request continues.',
      headers: [offset, { name: 'Upload-Length', description: 'Size of the file in bytes.' }, expires],
    },
    errors: ['tus_version', 'upload_gone'],
  },
  {
    method: 'PATCH',
    path: one,
    tag: 'Uploads',
    summary: 'Send bytes',
    headers: [
      version,
      { ...offset, description: 'Offset of the first byte of this body.', required: true },
      checksum,
    ],
    bodyType: tus.contentType,
    answer: {
      status: 204,
      description: 'Accepted. After the last byte, wcc inspects and publishes the file.',
      headers: [offset, expires],
    },
    errors: [
      'tus_version',
      'offset_mismatch',
      'checksum_mismatch',
      'upload_locked',
      'upload_gone',
      ...refused,
    ],
  },
  {
    method: 'DELETE',
    path: one,
    tag: 'Uploads',
    summary: 'Cancel an upload',
    headers: [version],
    answer: { status: 204, description: 'Cancelled; its space is free.' },
    errors: ['tus_version', 'upload_gone'],
  },
  {
    method: 'POST',
    path: `${one}/match`,
    tag: 'Uploads',
    summary: 'Check whether a local file belongs to an unfinished upload',
    body: matchUploadRequest,
    answer: { status: 200, description: 'The file matches. Resume at this offset.', schema: matchedUpload },
    errors: ['wrong_file', 'upload_gone'],
  },
];
