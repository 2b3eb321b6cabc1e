/** What a ticket grants, and to whom. Must survive JSON if the store is outside this process. */
export interface TicketClaims {
  session: string;
  user: string;
  /** What the ticket opens. The code that takes the ticket compares it. @default 'watch' */
  purpose?: string;
  /** The only Origin that may use it; empty for a program, which sends none. */
  origin: string;
  /** The resource, e.g. one machine's screen; absent for `watch`. */
  target?: string;
  /** Lets the host refuse tickets that are older than a change of the user. */
  sessionVersion?: number;
}

/**
 * Where unused tickets are. One store for several processes lets any of them accept a ticket of another one, e.g. in
 * Redis: `put` is `SET hash claims PX ttlMs`, `take` is `GETDEL hash`.
 */
export interface TicketStore<T extends TicketClaims = TicketClaims> {
  /**
   * Stores the claims under the ticket's SHA-256 for `ttlMs`. A store that can count refuses with `false` when the
   * session holds `perSession` unused tickets already.
   */
  put(hash: string, claims: T, limits: { ttlMs: number; perSession: number }): Promise<boolean | void>;
  /** Takes and deletes in one step: of two concurrent calls, in any processes, one returns `null`. */
  take(hash: string): Promise<T | null>;
  /** Deletes all tickets of a session. @returns how many it deleted */
  revokeSession?(session: string): Promise<number>;
}
