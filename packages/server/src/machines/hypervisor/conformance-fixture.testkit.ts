import type { Hypervisor } from '../hypervisor.ts';

/** Where a conformance run happens: one driver, on directories of its own. */
export interface ConformanceFixture {
  /** The driver as it is now: `renew` replaces it. */
  hypervisor(): Hypervisor;
  /** For disks; absolute. */
  directory(): string;
  /** Where the driver keeps a directory for each machine. */
  machinesDirectory(): string;
  /** Program text (an ES module) that makes the same driver from the built package as `hypervisor`. */
  moduleText(): string;
  /** Throws the driver away without a word to its machines, and makes another on the same data. */
  renew(): Promise<Hypervisor>;
}
