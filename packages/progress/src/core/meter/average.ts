/** A time-weighted moving average that is unbiased from its first value. */
export interface MovingAverage {
  add(value: number, ms: number): void;
  /** `null` before the first value. */
  read(): number | null;
  /** The weight left of a value after `ms`: 0.5 after one half-life. */
  decay(ms: number): number;
  reset(): void;
  /** Restarts as if the value had been `value` for the last `ms`. */
  restart(value: number, ms: number): void;
}

export function createMovingAverage(halfLifeMs: number): MovingAverage {
  // The sum starts at 0. Dividing by the weight removes the effect of the time before the first value.
  let sum = 0;
  let weight = 0;
  const decay = (ms: number): number => 2 ** (-ms / halfLifeMs);
  const take = (value: number, ms: number): void => {
    const decayed = decay(ms);
    sum = sum * decayed + value * (1 - decayed);
    weight = weight * decayed + (1 - decayed);
  };
  const reset = (): void => {
    sum = weight = 0;
  };
  return {
    add: take,
    read: () => (weight === 0 ? null : sum / weight),
    decay,
    reset,
    restart: (value, ms) => {
      reset();
      take(value, ms);
    },
  };
}
