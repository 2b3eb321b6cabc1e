import type { MeterOptions } from '@wcc/progress';

/** An upload follows its client's network, which changes faster than a disk. */
const networkHalfLifeMs = 10_000;

/** Averaging options for the rate of an action. */
export function meterOptions(action: string): MeterOptions {
  return action === 'upload_image' ? { halfLifeMs: networkHalfLifeMs } : {};
}
