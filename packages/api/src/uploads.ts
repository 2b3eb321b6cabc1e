import { z } from 'zod';
import { imageFormat, imageName } from './images.ts';
import { operationId } from './operations.ts';

const digest = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'Use 64 hexadecimal digits.')
  .transform((text) => text.toLowerCase());

/** Known keys of `Upload-Metadata`. Unknown keys are accepted and ignored. */
export const uploadMetadata = z.object({
  filename: imageName.describe('name of the image'),
  pool: z.string().optional().describe('target pool; default: the first pool'),
  sha256: digest.optional().describe('of the whole file; wcc compares it before publishing'),
  format: imageFormat.optional().describe("the client's guess; the content decides"),
  lastModified: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe('modification time at the client, ms since the epoch; identifies the file at a resume'),
});
export type UploadMetadata = z.output<typeof uploadMetadata>;

/** A range of the file below the durable offset. */
export const uploadSample = z.object({
  offsetBytes: z.number().int().min(0),
  lengthBytes: z.number().int().min(1).max(1_048_576),
});
export type UploadSample = z.infer<typeof uploadSample>;

/** An unfinished upload. Its id is the id of its operation. */
export const upload = z.object({
  id: operationId,
  name: z.string().describe('name of the image'),
  sizeBytes: z.number().int().min(0),
  offsetBytes: z.number().int().min(0).describe('number of durable bytes'),
  pool: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().describe('when wcc removes it unless the client resumes it'),
  lastModified: z.number().int().nullable().describe('modification time at the client, ms since the epoch'),
  samples: z.array(uploadSample).describe('ranges whose SHA-256 `match` needs'),
});
export type Upload = z.infer<typeof upload>;
export const uploadList = z.object({ items: z.array(upload) });
export type UploadList = z.infer<typeof uploadList>;

/** `all` is for administrators. */
export const uploadQuery = z.strictObject({ owner: z.enum(['me', 'all']).default('me') });

/** SHA-256 of samples of a local file, to prove that it belongs to an upload. */
export const matchUploadRequest = z.strictObject({
  sizeBytes: z.number().int().min(0),
  lastModified: z.number().int().min(0).nullable().default(null),
  samples: z.array(z.strictObject({ ...uploadSample.shape, sha256: digest })).max(8),
});
export type MatchUploadRequest = z.input<typeof matchUploadRequest>;
export type MatchUploadInput = z.output<typeof matchUploadRequest>;

/** Where to resume. */
export const matchedUpload = z.object({ offsetBytes: z.number().int().min(0) });
export type MatchedUpload = z.infer<typeof matchedUpload>;
