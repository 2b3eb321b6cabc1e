import type { Hypervisor } from '../hypervisor.ts';

/** What a conformance run needs: one driver with directories of its own. */
export interface ConformanceFixture {
  /** The current driver. `renew` replaces it. */
  hypervisor(): Hypervisor;
  /** Directory for disks, absolute. */
  directory(): string;
  /** The driver's directory with one directory per machine. */
  machinesDirectory(): string;
  /** Source of an ES module that creates the same driver from the built package, as `hypervisor`. */
  moduleText(): string;
  /** Closes the driver, leaves its machines alone, and creates another on the same data. */
  renew(): Promise<Hypervisor>;
}
