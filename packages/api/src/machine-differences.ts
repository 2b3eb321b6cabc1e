import { z } from 'zod';

export const vmSetting = z.enum([
  'name',
  'cpus',
  'memory',
  'firmware',
  'disks',
  'cdrom',
  'network',
  'bootOrder',
]);
export type VmSetting = z.infer<typeof vmSetting>;

/** A setting that another program changed in the hypervisor since wcc wrote it. */
export const vmDifference = z.object({
  setting: vmSetting,
  wcc: z.string().describe('as wcc wrote it; empty: nothing'),
  hypervisor: z.string().describe('as the hypervisor has it; empty: nothing'),
  canAdopt: z.boolean().describe('whether `adopt` can take it over'),
});
export type VmDifference = z.infer<typeof vmDifference>;
