import { z } from 'zod';
import { isVisible } from './names.ts';

/** A name that people give: in NFC, one line, without characters that cannot be seen. */
export function label(limits: { min: number; max: number }): z.ZodString {
  return z
    .string()
    .normalize('NFC')
    .min(limits.min)
    .max(limits.max)
    .refine(isVisible, 'Use one line, without characters that cannot be seen.');
}
