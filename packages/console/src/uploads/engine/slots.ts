/** So many may go on at once; the others come in the order in which they asked. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** @returns whether one was free */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  /** When it is one's turn. */
  async take(): Promise<void> {
    if (!this.tryTake()) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }

  /** Hands the place to who waits longest. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
