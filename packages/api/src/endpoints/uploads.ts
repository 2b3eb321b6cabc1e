import { matchedUpload, matchUploadRequest, tus, upload, uploadList, uploadQuery } from '../uploads.ts';
import type { Endpoint, Field } from './endpoint.ts';

const version: Field = { name: 'Tus-Resumable', description: `\`${tus.version}\``, required: true };
const offset: Field = { name: 'Upload-Offset', description: 'Bytes that are safe: written and synced.' };
const expires: Field = { name: 'Upload-Expires', description: 'When it is removed, if nobody goes on.' };
const checksum: Field = {
  name: 'Upload-Checksum',
  description: `Of this body: ${tus.checksumAlgorithms.join(', ')}, then the digest in base64.`,
};
const one = '/api/uploads/{id}';
const refused = [
  'hostile_image',
  'image_too_large',
  'unsupported_format',
  'digest_mismatch',
  'no_space',
] as const;

/** tus 1.0 (https://tus.io/protocols/resumable-upload), and what stands around it. */
export const uploadEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/api/uploads',
    tag: 'Uploads',
    summary: 'Unfinished uploads',
    query: uploadQuery,
    answer: { status: 200, description: "One's own; everybody's for administrators.", schema: uploadList },
  },
  {
    method: 'POST',
    path: '/api/uploads',
    tag: 'Uploads',
    summary: 'Begin an upload',
    description: 'Its id is that of its operation. A body, when there is one, is the beginning of the file.',
    headers: [
      version,
      { name: 'Upload-Length', description: 'Size of the file in bytes.', required: true },
      {
        name: 'Upload-Metadata',
        description:
          '`filename` (name of the image), and if you like `pool`, `sha256`, `format`, `lastModified`.',
        required: true,
      },
      checksum,
    ],
    bodyType: tus.contentType,
    isBodyOptional: true,
    answer: {
      status: 201,
      description: 'Begun, and on the disk.',
      headers: [{ name: 'Location', description: 'Where the bytes go.' }, offset, expires],
    },
    errors: [
      'tus_version',
      'length_required',
      'length_unknown',
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
    summary: 'What of tus is spoken here',
    signedIn: 'nobody',
    answer: {
      status: 204,
      description: 'In the headers.',
      headers: [
        { name: 'Tus-Version', description: tus.version },
        { name: 'Tus-Extension', description: tus.extensions.join(',') },
        { name: 'Tus-Checksum-Algorithm', description: tus.checksumAlgorithms.join(',') },
      ],
    },
  })),
  {
    method: 'GET',
    path: one,
    tag: 'Uploads',
    summary: 'One unfinished upload',
    answer: { status: 200, description: 'The upload.', schema: upload },
    errors: ['upload_gone'],
  },
  {
    method: 'HEAD',
    path: one,
    tag: 'Uploads',
    summary: 'How far it is',
    headers: [version],
    answer: {
      status: 200,
      description: 'Disturbs nobody who sends.',
      headers: [offset, { name: 'Upload-Length', description: 'Size of the file.' }, expires],
    },
    errors: ['tus_version', 'upload_gone'],
  },
  {
    method: 'PATCH',
    path: one,
    tag: 'Uploads',
    summary: 'Send bytes',
    headers: [version, { ...offset, description: 'Where they belong.', required: true }, checksum],
    bodyType: tus.contentType,
    answer: {
      status: 204,
      description: 'Taken; with the last byte, looked at and published.',
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
    summary: 'Give an upload up',
    headers: [version],
    answer: { status: 204, description: 'Its space is free.' },
    errors: ['tus_version', 'upload_gone'],
  },
  {
    method: 'POST',
    path: `${one}/match`,
    tag: 'Uploads',
    summary: 'Is this local file the one whose upload was begun?',
    body: matchUploadRequest,
    answer: { status: 200, description: 'It is: go on from there.', schema: matchedUpload },
    errors: ['wrong_file', 'upload_gone'],
  },
];
