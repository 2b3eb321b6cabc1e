/** The fastest writer that the interval allows for. */
const bytesPerSecond = 1e9;
const leastMs = 100;
const mostMs = 5_000;
/** Below the floor every look asks the hypervisor, which is a process for libvirt. */
const belowMs = 1_000;

/** Time until the next look, so that no guest writes far below the floor between two looks. */
export function pollIntervalMs({ freeBytes, floorBytes }: { freeBytes: number; floorBytes: number }): number {
  if (freeBytes < floorBytes) return belowMs;
  const reachesFloorMs = ((freeBytes - floorBytes) / bytesPerSecond) * 1000;
  return Math.min(mostMs, Math.max(leastMs, reachesFloorMs));
}
