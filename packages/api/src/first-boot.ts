import { z } from 'zod';
import { hostNamePattern } from './names.ts';

/** A login name that every Linux accepts. */
const loginName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'Use 1 to 32 of a-z 0-9 _ - and start with a letter or underscore.');

/** One line of an `authorized_keys` file. Only the guest interprets it. */
const sshKey = z
  .string()
  .min(16)
  .max(8192)
  .regex(/^[^\p{Cc}]+$/u, 'A key is one line without control characters.');

/**
 * First-boot data of a machine; cloud-init reads it from a NoCloud seed. Password hash and user-data are secrets:
 * wcc stores them apart and encrypted, and deletes them at the end of the operation.
 */
export const firstBoot = z.strictObject({
  user: loginName.optional().describe("default: the image's user"),
  sshKeys: z.array(sshKey).max(32).default([]),
  passwordHash: z
    .string()
    .max(256)
    .regex(
      /^\$[./$0-9A-Za-z=,+-]+$/,
      'Send a hash as in /etc/shadow, e.g. from `mkpasswd`; never a password.',
    )
    .optional(),
  hostname: z
    .string()
    .regex(
      hostNamePattern,
      'Use labels of 1 to 63 letters, digits and inner hyphens, with dots between them; not an IP address.',
    )
    .optional()
    .describe("default: the machine's name, translated into a host name"),
  userData: z
    .string()
    .max(32_768)
    .optional()
    .describe('additional user-data for cloud-init: text, a MIME document, or gzip in base64'),
});
export type FirstBootRequest = z.input<typeof firstBoot>;
export type FirstBoot = z.output<typeof firstBoot>;

/** First-boot data that quick-create uses for this user. It contains no secret. */
export const firstBootProfile = z.strictObject({
  user: loginName.nullable().default(null),
  sshKeys: z.array(sshKey).max(32).default([]),
});
export type FirstBootProfileRequest = z.input<typeof firstBootProfile>;
export type FirstBootProfile = z.output<typeof firstBootProfile>;
