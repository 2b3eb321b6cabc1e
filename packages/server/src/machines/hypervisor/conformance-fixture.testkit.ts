import type { Hypervisor } from '../hypervisor.ts';

/** One driver with its own directories, for a conformance run. */
export interface ConformanceFixture {
  /** The current driver. `renew` replaces it. */
  hypervisor(): Hypervisor;
  /** Absolute path of the directory for disks. */
  directory(): string;
  /** The driver's directory with one directory per machine. */
  machinesDirectory(): string;
  /** Source of an ES module that creates the same driver from the built package, as `hypervisor`. */
  moduleText(): string;
  /** Closes the driver, leaves its machines alone, and creates another on the same data. */
  renew(): Promise<Hypervisor>;
}
