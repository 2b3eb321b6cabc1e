export interface Random {
  readonly seed: number;
  /** A number in [0, 1). */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
}

/** A pseudo-random generator (mulberry32). The same seed gives the same numbers, so a failure can be repeated. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return { seed, next, integer, pick: (items) => items[integer(0, items.length - 1)]! };
}

/** The seed of this run: `WCC_SEED`, or else a new one. Each test that uses it prints it. */
export function seedOfRun(): number {
  const given = process.env['WCC_SEED'];
  return given === undefined ? Math.floor(Math.random() * 4_294_967_296) : Number.parseInt(given, 10);
}
