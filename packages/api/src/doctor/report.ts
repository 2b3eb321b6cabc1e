import { z } from 'zod';
import type { DoctorCheckId } from './checks.ts';
import { doctorChecks } from './checks.ts';
import type { DoctorCode } from './findings.ts';
import { doctorFindings } from './findings.ts';

const ids = Object.keys(doctorChecks) as [DoctorCheckId, ...DoctorCheckId[]];
const codes = Object.keys(doctorFindings) as [DoctorCode, ...DoctorCode[]];

export const doctorState = z.enum(['ok', 'warning', 'failed', 'skipped']);

/** The result of one check. */
export const doctorCheck = z.object({
  id: z.enum(ids),
  title: z.string(),
  state: doctorState,
  code: z.enum(codes).describe('what was found'),
  parameters: z.record(z.string(), z.union([z.string(), z.number()])),
  found: z.string().describe('what was found, in English'),
  advice: z.string().nullable().describe('what to do about it, in English'),
});
export type DoctorCheck = z.infer<typeof doctorCheck>;

/** The result of all checks of a host. */
export const doctorReport = z.object({
  version: z.literal(1),
  checkedAt: z.string(),
  durationMs: z.number(),
  state: z
    .enum(['ok', 'warning', 'failed'])
    .describe('the worst state of a check; skipped checks do not count'),
  checks: z.array(doctorCheck),
});
export type DoctorReport = z.infer<typeof doctorReport>;
