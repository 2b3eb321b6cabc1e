import { z } from 'zod';

/** Whether, in which order and how long after the previous start wcc starts a machine after a boot of the host. */
export const vmAutostart = z.object({
  enabled: z.boolean(),
  order: z.number().int().min(0).max(9999).describe('lower ones start first; among equals, lower numbers'),
  delaySeconds: z
    .number()
    .int()
    .min(0)
    .max(3600)
    .describe('pause before its start, counted from the start of the machine before it'),
});
export type VmAutostart = z.infer<typeof vmAutostart>;

/** Missing fields stay as they are. */
export const vmAutostartChange = z.strictObject(vmAutostart.partial().shape);
