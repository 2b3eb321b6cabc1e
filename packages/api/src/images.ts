import { z } from 'zod';
import type { ImageId } from './ids.ts';
import { findImageNameProblem, imageNameMaxBytes } from './names.ts';
import type { ImageNameProblem } from './names.ts';
import { copyMethods, imageFormats } from './vocabulary.ts';

export const imageId: z.ZodType<ImageId, ImageId> = z.number().int().min(100);

const imageNameMessages: Record<ImageNameProblem, string> = {
  empty: 'The name is empty.',
  too_long: `The name is longer than ${imageNameMaxBytes} bytes.`,
  slash: 'The name contains a slash.',
  control_character: 'The name contains a control character.',
  invisible_character: 'The name contains a character that cannot be seen.',
  leading_dot: 'The name starts with a dot; such files are hidden.',
  surrounding_space: 'The name starts or ends with white space.',
  malformed_unicode: 'The name is not well-formed Unicode.',
};

/** In NFC, so that two spellings of one name are one name. */
export const imageName = z
  .string()
  .normalize('NFC')
  .superRefine((name, context) => {
    const problem = findImageNameProblem(name);
    if (problem)
      context.addIssue({ code: 'custom', message: imageNameMessages[problem], params: { problem } });
  });

export const imageFormat = z.enum(imageFormats);
export type ImageFormat = z.infer<typeof imageFormat>;

/** `missing`: the file is gone, the record stays. `refused`: wcc does not use the file, see `stateReason`. */
export const imageState = z.enum(['ready', 'missing', 'refused']);

/** A user that prevents the deletion of an image: a machine, an overlay image or a running operation. */
export const imageUser = z.object({
  kind: z.enum(['vm', 'image', 'operation']),
  id: z.union([z.number(), z.string()]),
  name: z.string(),
});
export type ImageUser = z.infer<typeof imageUser>;

export const image = z.object({
  id: imageId.describe('short number from 100'),
  name: z.string().describe("the file's name in its pool"),
  format: imageFormat.nullable().describe('set at registration; null for a refused file'),
  virtualSizeBytes: z.number().int().min(0).describe('the size that a guest sees'),
  sizeBytes: z.number().int().min(0).describe('length of the file'),
  dataBytes: z.number().int().min(0).describe('bytes without holes'),
  state: imageState,
  stateReason: z.string().nullable().describe('why wcc refuses it, e.g. symlink, fifo, device, hard_link'),
  pool: z.string(),
  owner: z.string().nullable().describe('user id; null for a file that a scan found'),
  copiedFrom: imageId.nullable(),
  sha256: z
    .string()
    .nullable()
    .describe('of the current file, in hex; null: not computed since its last change'),
  private: z
    .boolean()
    .describe('was a disk of a machine, or is a copy of one: only its owner and administrators see it'),
  template: z.boolean().describe('source of new machines; protected from deletion'),
  remarks: z
    .array(z.string())
    .describe(
      'what is odd about the content, as codes of warnings, e.g. content_is_text; the file can be a disk',
    ),
  baseChanged: z
    .boolean()
    .describe(
      'disks of machines are based on an earlier content of the file, so these machines do not start',
    ),
  usedBy: z.array(imageUser).describe('the image cannot be deleted unless this is empty'),
  createdAt: z.iso.datetime(),
});
export type Image = z.infer<typeof image>;

export const imageList = z.object({ items: z.array(image), next: z.string().optional() });
export type ImageList = z.infer<typeof imageList>;

export const imageQuery = z.strictObject({
  cursor: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const copyMethod = z.enum(copyMethods);
export type CopyMethodChoice = z.infer<typeof copyMethod>;

export const copyImageRequest = z.strictObject({
  name: imageName,
  pool: z.string().optional().describe('target pool; default: the pool of the source'),
  method: copyMethod.default('auto'),
  bytesPerSecond: z.number().int().min(65_536).nullable().default(null).describe('speed limit; null: none'),
  verify: z.boolean().default(false).describe('read the copy again and compare it with the source'),
});
/** The request, where fields with a default are optional. */
export type CopyImageRequest = z.input<typeof copyImageRequest>;
export type CopyImageInput = z.output<typeof copyImageRequest>;

/** The name to check. Any text is allowed, because a dialog checks the name while the user types. */
export const copyPlanQuery = z.strictObject({ name: z.string().max(1024).optional() });

/** The space that a copy needs. All sizes are in bytes. */
export const copyPlan = z.object({
  virtualSizeBytes: z.number(),
  dataBytes: z.number(),
  /** Upper bound of the space for a copy without shared blocks. */
  needsBytes: z.number(),
  /** Free space without the reservations of other operations and the floor of max(5 %, 2 GiB). */
  freeBytes: z.number(),
  clonePossible: z.boolean(),
  cloneRefusal: z.string().nullable(),
  nameTaken: z.boolean().nullable().describe('null without a name in the query'),
});
export type CopyPlan = z.infer<typeof copyPlan>;

export const sampleImageRequest = z.strictObject({
  name: imageName.default('sample.raw'),
  sizeBytes: z
    .number()
    .int()
    .min(1_048_576)
    .max(68_719_476_736)
    .default(4_294_967_296)
    .describe('default 4 GiB'),
});
export type SampleImageRequest = z.input<typeof sampleImageRequest>;
export type SampleImageInput = z.output<typeof sampleImageRequest>;

const sha256 = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'A SHA-256 has 64 hexadecimal digits.')
  .transform((digest) => digest.toLowerCase());

export const convertImageRequest = z.strictObject({
  name: imageName,
  format: z.enum(['raw', 'qcow2']).describe('of the new image; not the format of the source'),
  compress: z.boolean().default(false).describe('qcow2 only: smaller, but slower to create and to read'),
  pool: z.string().optional().describe('target pool; default: the pool of the source'),
});
export type ConvertImageRequest = z.input<typeof convertImageRequest>;
export type ConvertImageInput = z.output<typeof convertImageRequest>;

export const verifyImageRequest = z.strictObject({
  sha256: sha256.optional().describe('expected digest; the operation fails as digest_mismatch if it differs'),
});
export type VerifyImageRequest = z.input<typeof verifyImageRequest>;
export type VerifyImageInput = z.output<typeof verifyImageRequest>;

export const importImageRequest = z.strictObject({
  url: z
    .string()
    .max(8192)
    .describe('http or https, without user and password; wcc does not store the query'),
  name: imageName,
  pool: z.string().optional().describe('default: the first pool'),
  sha256: sha256
    .optional()
    .describe('of the whole file; the operation fails as digest_mismatch if it differs'),
  format: imageFormat.optional().describe('expected format; wcc refuses a file of another format'),
});
export type ImportImageRequest = z.input<typeof importImageRequest>;
export type ImportImageInput = z.output<typeof importImageRequest>;

export const importFactsRequest = z.strictObject({
  url: z.string().max(8192).describe('http or https, without user and password'),
});
export type ImportFactsInput = z.output<typeof importFactsRequest>;

/** What the other server says of a file, and what its first bytes say. */
export const importFacts = z.object({
  name: z
    .string()
    .nullable()
    .describe('a usable name: by Content-Disposition, else by the addresses; null: none'),
  sizeBytes: z.number().nullable().describe('length of the file; null: the server does not say'),
  format: imageFormat.nullable().describe('by the first 64 KiB; null if wcc refuses the file'),
  virtualSizeBytes: z.number().nullable().describe('the size that a guest sees; null: unknown'),
  remarks: z.array(z.string()).describe('codes of warnings'),
  refusal: z
    .object({ code: z.string(), reason: z.string(), message: z.string(), hint: z.string() })
    .nullable()
    .describe('why an import would fail; null: the first bytes are acceptable'),
});
export type ImportFacts = z.infer<typeof importFacts>;

export const changeImageRequest = z
  .strictObject({
    template: z.boolean().optional(),
    baseChanged: z
      .literal(false)
      .optional()
      .describe('accepts the file as the one that disks are based on; administrators only'),
    private: z.literal(false).optional().describe('publishes a private image to all users, for good'),
  })
  .refine((change) => Object.keys(change).length > 0, 'Name a change.');
export type ChangeImageRequest = z.infer<typeof changeImageRequest>;
