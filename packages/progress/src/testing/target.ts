/** `watcher` may watch the operations of the target, `stranger` may not. Both can sign in. */
export type ConformanceUser = 'watcher' | 'stranger';

/** An operation of the server under test, controlled by the suite. */
export interface ConformanceOperation {
  readonly id: string;
  /** Sets the units done of the current phase, 0 to 100; never less than before. */
  advance(done: number): Promise<void>;
  /** Ends the operation as succeeded. */
  end(): Promise<void>;
}

/** The address of an operation's events, and the headers that authenticate the user. */
export interface EventsRequest {
  url: string;
  headers: Record<string, string>;
}

/** A server of `wcc.v1` under test, in any language. */
export interface ConformanceTarget {
  /** `ws://host:port/path` or `wss://…` */
  url: string;
  /** An Origin that the server accepts with the tickets below. */
  origin: string;
  /** Returns a new single-use ticket. The suite uses up to three at a time for one user. */
  ticket: (user: ConformanceUser) => Promise<string>;
  /** Headers of a user's handshake besides Origin, e.g. a session cookie. @default none */
  headers?: (user: ConformanceUser) => Record<string, string>;
  /** Starts an operation of the watcher with 100 units. */
  begin: () => Promise<ConformanceOperation>;
  /** Revokes the watcher's right to an operation. If absent, the suite has no cases about revocation. */
  revoke?: (operation: string) => Promise<void>;
  /** Ends the session that issued the watcher's tickets. If absent, the suite has no case about ended sessions. */
  endSession?: () => Promise<void>;
  /** The address and headers of an event stream. If absent, the suite has no cases about server-sent events. */
  events?: (operation: string, user: ConformanceUser) => EventsRequest;
  /** Maximum wait for each expected message, in milliseconds. @default 10000 */
  patienceMs?: number;
}

/** One rule of the protocol as a test case for any test runner. */
export interface ConformanceCase {
  readonly name: string;
  /** @throws {ConformanceError} with the violated rule and the evidence */
  run: () => Promise<void>;
}

/** Checks one rule of the protocol on a server. */
export type Check = (target: ConformanceTarget) => Promise<void>;

/** A valid operation id that no operation has. */
export const unknownId: string = 'a'.repeat(26);

/** The server under test violates docs/protocol.md. */
export class ConformanceError extends Error {
  override readonly name: string = 'ConformanceError';
}

/** @throws {ConformanceError} if the rule does not hold */
export function ensure(holds: boolean, rule: string, seen?: unknown): asserts holds {
  if (holds) return;
  throw new ConformanceError(seen === undefined ? rule : `${rule}; seen: ${JSON.stringify(seen)}`);
}
