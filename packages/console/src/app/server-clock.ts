/**
 * The server's time. Stored times come from the server, so a comparison with the browser's clock would depend on how wrong
 * that clock is.
 */
export class ServerClock {
  #serverMs: number | null = null;
  #notedAtMs = 0;

  /** Notes the `Date` header of an answer. */
  note({ headers }: Pick<Response, 'headers'>): void {
    const serverMs = Date.parse(headers.get('date') ?? '');
    if (Number.isNaN(serverMs)) return;
    this.#serverMs = serverMs;
    this.#notedAtMs = performance.now();
  }

  /** Milliseconds since 1970. Before the first answer: the browser's clock. */
  now(): number {
    if (this.#serverMs === null) return Date.now();
    return this.#serverMs + (performance.now() - this.#notedAtMs);
  }
}
