import { z } from 'zod';
import { imageFormat, imageName } from './images.ts';
import { operationId } from './operations.ts';

/** tus 1.0 (https://tus.io/protocols/resumable-upload), as spoken at `/api/uploads`. */
export const tus = {
  version: '1.0.0',
  extensions: ['creation', 'creation-with-upload', 'expiration', 'checksum', 'termination'],
  checksumAlgorithms: ['sha1', 'md5', 'sha256'],
  /** Of the body that carries bytes. */
  contentType: 'application/offset+octet-stream',
} as const;
export type ChecksumAlgorithm = (typeof tus.checksumAlgorithms)[number];

const digest = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'Use 64 hexadecimal digits.')
  .transform((text) => text.toLowerCase());

/** What `Upload-Metadata` may say at the creation; keys that are not listed here are taken and not looked at. */
export const uploadMetadata = z.object({
  filename: imageName.describe('name of the image'),
  pool: z.string().optional().describe('target pool; default: the first one'),
  sha256: digest.optional().describe('of the whole file; compared before it is published'),
  format: imageFormat.optional().describe('what the client believes; the content decides'),
  lastModified: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe("the file's time at the client, ms since the epoch: tells it apart at a resume"),
});
export type UploadMetadata = z.output<typeof uploadMetadata>;

/** A range of the file, all below the durable offset. */
export const uploadSample = z.object({
  offsetBytes: z.number().int().min(0),
  lengthBytes: z.number().int().min(1).max(1_048_576),
});
export type UploadSample = z.infer<typeof uploadSample>;

/** An upload that has not ended; its id is that of its operation. */
export const upload = z.object({
  id: operationId,
  name: z.string().describe('of the image'),
  sizeBytes: z.number().int().min(0),
  offsetBytes: z.number().int().min(0).describe('durable: what is below is safe'),
  pool: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().describe('it is removed then, if nobody goes on with it before'),
  lastModified: z.number().int().nullable().describe("the file's time at the client, ms since the epoch"),
  samples: z.array(uploadSample).describe('what `match` wants to know the SHA-256 of'),
});
export type Upload = z.infer<typeof upload>;
export const uploadList = z.object({ items: z.array(upload) });
export type UploadList = z.infer<typeof uploadList>;

/** `all` is for administrators. */
export const uploadQuery = z.strictObject({ owner: z.enum(['me', 'all']).default('me') });

/** Is this local file the one whose upload was begun? */
export const matchUploadRequest = z.strictObject({
  sizeBytes: z.number().int().min(0),
  lastModified: z.number().int().min(0).nullable().default(null),
  samples: z.array(z.strictObject({ ...uploadSample.shape, sha256: digest })).max(8),
});
export type MatchUploadRequest = z.input<typeof matchUploadRequest>;
export type MatchUploadInput = z.output<typeof matchUploadRequest>;

/** From where to go on. */
export const matchedUpload = z.object({ offsetBytes: z.number().int().min(0) });
export type MatchedUpload = z.infer<typeof matchedUpload>;
