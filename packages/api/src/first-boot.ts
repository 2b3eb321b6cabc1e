import { z } from 'zod';

/** A name that every Linux takes for a login. */
const loginName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'Use 1 to 32 of a-z 0-9 _ - and start with a letter or underscore.');

/** One line of an `authorized_keys` file; what it says is the guest's affair. */
const sshKey = z
  .string()
  .min(16)
  .max(8192)
  .regex(/^[^\p{Cc}]+$/u, 'A key is one line without control characters.');

/**
 * What a machine is told at its first boot, by a NoCloud seed that cloud-init reads. The password's hash and
 * the user-data are secrets: they are kept apart, encrypted, and only until the operation has ended.
 */
export const firstBoot = z.strictObject({
  user: loginName.optional().describe("default: the image's own user"),
  sshKeys: z.array(sshKey).max(32).default([]),
  passwordHash: z
    .string()
    .max(256)
    .regex(/^\$[./$0-9A-Za-z=,+-]+$/, 'Send a hash as in /etc/shadow, e.g. by `mkpasswd`; never a password.')
    .optional(),
  hostname: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/, 'Use letters, digits, dots and hyphens.')
    .optional()
    .describe("default: the machine's name"),
  userData: z.string().max(32_768).optional().describe('further user-data for cloud-init, as it is'),
});
export type FirstBootRequest = z.input<typeof firstBoot>;
export type FirstBoot = z.output<typeof firstBoot>;

/** What quick-create puts into a machine's first boot for this user. Holds no secret. */
export const firstBootProfile = z.strictObject({
  user: loginName.nullable().default(null),
  sshKeys: z.array(sshKey).max(32).default([]),
});
export type FirstBootProfileRequest = z.input<typeof firstBootProfile>;
export type FirstBootProfile = z.output<typeof firstBootProfile>;
