import type { Principal } from './principal.ts';

/**
 * What counts as use of the session, besides {@link OpenConnection.noteUse}. `traffic`: every byte, in either
 * direction. `watching`: that an operation which the principal may watch is running.
 */
export type ConnectionUse = 'traffic' | 'watching' | 'nothing';

export interface OpeningOptions {
  /** The response or socket. Its event `close` ends the registration. */
  carrier: { readonly destroyed: boolean; once(event: 'close', listener: () => void): unknown };
  /** Cuts the connection. The registry calls it at most {@link cutAfterMs} after the rights ended. */
  cut: () => void;
  use: ConnectionUse;
  /** Bytes that the connection has moved; for the use `traffic`. */
  movedBytes?: () => number;
}

/** A connection whose principal is not known yet. Revocations during the look-up are not missed. */
export interface Opening {
  /** Binds the connection to its principal. @returns null if the rights ended since the opening began */
  admit(principal: Principal): OpenConnection | null;
  /** Ends the registration without a principal. */
  abandon(): void;
}

/** Everything that one principal holds open: a request, a stream, a download, an upload, a socket or a screen. */
export interface OpenConnection {
  readonly principal: Principal;
  /** Aborts at the moment in which the rights end. From then on, input has no effect and output stops. */
  readonly signal: AbortSignal;
  /** Changes what counts as use, when the request is understood. */
  use: ConnectionUse;
  /** Counts as use of the session now. */
  readonly noteUse: () => void;
}

/**
 * The one registry of everything that is open. Whatever reads or sends for longer than one step is registered here
 * before the first look-up of its principal. It is cut within a second when its rights end: by revocation, expiry or
 * idleness.
 */
export interface OpenConnections {
  /** Call this before the first look-up of the principal. */
  begin(options: OpeningOptions): Opening;
  /** Ends every matching connection, including those being opened. */
  end(isOver: (principal: Principal) => boolean): void;
  /** Called at each end of rights, with the test for the principals that are concerned. */
  onEnd(listener: (isOver: (principal: Principal) => boolean) => void): void;
  /** One principal of each session, token and share with an open connection. */
  principals(): Principal[];
  /** Ends the connections that expired by the clock. */
  endExpired(nowMs: number): void;
  /**
   * The keys of the sessions that were used since the last call.
   * @param seesRunning whether something that the principal may watch is running
   */
  takeUsed(seesRunning: (principal: Principal) => boolean): string[];
}

/** Time for a close frame or an error answer, before the connection is cut. */
const cutAfterMs = 300;

export function createOpenConnections(): OpenConnections {
  return new Registry();
}

class Registry implements OpenConnections {
  /** The open connections by session, token or share. */
  readonly #open = new Map<string, Set<Connection>>();
  /** The ends since each opening began. */
  readonly #opening = new Map<Opening, ((principal: Principal) => boolean)[]>();
  readonly #listeners: ((isOver: (principal: Principal) => boolean) => void)[] = [];
  readonly #used = new Set<string>();

  begin(options: OpeningOptions): Opening {
    const opening: Opening = {
      admit: (principal) => this.#admit(opening, options, principal),
      abandon: () => void this.#opening.delete(opening),
    };
    this.#opening.set(opening, []);
    return opening;
  }

  end(isOver: (principal: Principal) => boolean): void {
    for (const ends of this.#opening.values()) ends.push(isOver);
    for (const connection of this.#all()) if (isOver(connection.principal)) connection.end();
    for (const listener of this.#listeners) listener(isOver);
  }

  onEnd(listener: (isOver: (principal: Principal) => boolean) => void): void {
    this.#listeners.push(listener);
  }

  principals(): Principal[] {
    return [...this.#open.values()].flatMap((connections) => {
      for (const { signal, principal } of connections) if (!signal.aborted) return [principal];
      return [];
    });
  }

  endExpired(nowMs: number): void {
    const isOver = ({ expiresAtMs }: Principal): boolean => expiresAtMs !== null && expiresAtMs <= nowMs;
    if (this.principals().some(isOver)) this.end(isOver);
  }

  takeUsed(seesRunning: (principal: Principal) => boolean): string[] {
    for (const connection of this.#all()) {
      const { principal } = connection;
      if (principal.kind !== 'session' || this.#used.has(principal.sessionKey)) continue;
      const isWatching = connection.use === 'watching' && seesRunning(principal);
      if (connection.hasMoved() || isWatching) connection.noteUse();
    }
    const used = [...this.#used];
    this.#used.clear();
    return used;
  }

  #admit(opening: Opening, options: OpeningOptions, principal: Principal): OpenConnection | null {
    const ends = this.#opening.get(opening);
    this.#opening.delete(opening);
    const { carrier } = options;
    if (ends === undefined || carrier.destroyed || ends.some((isOver) => isOver(principal))) return null;
    const connection = new Connection(principal, options, () => {
      if (principal.kind === 'session' && !connection.signal.aborted) this.#used.add(principal.sessionKey);
    });
    const { sessionKey } = principal;
    this.#open.set(sessionKey, (this.#open.get(sessionKey) ?? new Set()).add(connection));
    carrier.once('close', () => {
      // The last bytes of a short connection count as well.
      if (connection.hasMoved()) connection.noteUse();
      connection.closed();
      this.#remove(connection);
    });
    return connection;
  }

  #remove(connection: Connection): void {
    const { sessionKey } = connection.principal;
    const connections = this.#open.get(sessionKey);
    connections?.delete(connection);
    if (connections?.size === 0) this.#open.delete(sessionKey);
  }

  *#all(): Iterable<Connection> {
    for (const connections of this.#open.values()) yield* connections;
  }
}

class Connection implements OpenConnection {
  readonly principal: Principal;
  readonly noteUse: () => void;
  use: ConnectionUse;
  readonly #options: OpeningOptions;
  readonly #controller = new AbortController();
  #cutting: NodeJS.Timeout | undefined;
  #movedBytes = 0;

  constructor(principal: Principal, options: OpeningOptions, noteUse: () => void) {
    this.principal = principal;
    this.use = options.use;
    this.noteUse = noteUse;
    this.#options = options;
    this.#movedBytes = options.movedBytes?.() ?? 0;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether bytes that count as use have moved since the last call. */
  hasMoved(): boolean {
    const movedBytes = this.#options.movedBytes?.() ?? 0;
    const hasMoved = movedBytes > this.#movedBytes;
    this.#movedBytes = movedBytes;
    return hasMoved && this.use === 'traffic';
  }

  end(): void {
    if (this.signal.aborted) return;
    this.#cutting = setTimeout(this.#options.cut, cutAfterMs).unref();
    this.#controller.abort();
  }

  closed(): void {
    clearTimeout(this.#cutting);
  }
}
