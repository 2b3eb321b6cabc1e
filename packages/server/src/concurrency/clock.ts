/** The two clocks of the server: one for history, one for durations. */
export interface Clock {
  /** Wall-clock time as ISO 8601 in UTC. For history only: it may jump. */
  isoNow(): string;
  /** Milliseconds of a clock that never goes back. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  isoNow: () => new Date().toISOString(),
  monotonicMs: () => performance.now(),
};
