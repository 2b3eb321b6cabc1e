/** A time-weighted moving average that knows how much of it is real. */
export interface MovingAverage {
  take(value: number, ms: number): void;
  /** `null` before the first value. */
  read(): number | null;
  /** Share that is left of something after `ms`: 0.5 after one half-life. */
  decay(ms: number): number;
  reset(): void;
  /** Forgets everything but that it was `value` for the last `ms`. */
  restart(value: number, ms: number): void;
}

export function createMovingAverage(halfLifeMs: number): MovingAverage {
  // The sum starts at 0 as if nothing had moved for ever; dividing by the weight corrects the start.
  let sum = 0;
  let weight = 0;
  const decay = (ms: number): number => 2 ** (-ms / halfLifeMs);
  const take = (value: number, ms: number): void => {
    const kept = decay(ms);
    sum = sum * kept + value * (1 - kept);
    weight = weight * kept + (1 - kept);
  };
  const reset = (): void => {
    sum = weight = 0;
  };
  return {
    take,
    read: () => (weight === 0 ? null : sum / weight),
    decay,
    reset,
    restart: (value, ms) => {
      reset();
      take(value, ms);
    },
  };
}
