/** `watcher` may watch what the target begins, `stranger` may not; both can sign in. */
export type ConformanceUser = 'watcher' | 'stranger';

/** An operation of the server under test which the suite moves. */
export interface ConformanceOperation {
  readonly id: string;
  /** Sets what is done of its current phase, 0 to 100; never less than before. */
  advance(done: number): Promise<void>;
  /** Ends it as succeeded. */
  end(): Promise<void>;
}

/** Where the events of an operation are read, and with which headers a user is known there. */
export interface EventsRequest {
  url: string;
  headers: Record<string, string>;
}

/** A server that speaks `wcc.v1`, as the suite reaches it. Nothing of it needs to be written in JavaScript. */
export interface ConformanceTarget {
  /** `ws://host:port/path` or `wss://…` */
  url: string;
  /** An Origin that the server accepts with the tickets below. */
  origin: string;
  /** A fresh single-use ticket; the suite takes up to three at a time for one user. */
  ticket: (user: ConformanceUser) => Promise<string>;
  /** Headers of a user's handshake beside Origin, e.g. a session's cookie. @default none */
  headers?: (user: ConformanceUser) => Record<string, string>;
  /** Begins an operation that runs, has 100 units to do, and is the watcher's. */
  begin: () => Promise<ConformanceOperation>;
  /** Takes the right to watch an operation from `watcher`. Left out: the cases about it are not in the suite. */
  revoke?: (operation: string) => Promise<void>;
  /** Ends the session behind the watcher's tickets. Left out: the case about it is not in the suite. */
  endSession?: () => Promise<void>;
  /** Left out: the cases about server-sent events are not in the suite. */
  events?: (operation: string, user: ConformanceUser) => EventsRequest;
  /** Longest wait for anything, in milliseconds. @default 10000 */
  patienceMs?: number;
}

/** One rule of the protocol, and the proof of it. Run it with any test runner, alone or after others. */
export interface ConformanceCase {
  readonly name: string;
  /** @throws {ConformanceError} says which rule the server broke, and by what */
  run: () => Promise<void>;
}

/** Proves one rule of the protocol on a server. */
export type Check = (target: ConformanceTarget) => Promise<void>;

/** Shaped like the id of an operation, and nobody's. */
export const unknownId: string = 'a'.repeat(26);

/** The server under test does not do what docs/protocol.md says. */
export class ConformanceError extends Error {
  override readonly name: string = 'ConformanceError';
}

/** @throws {ConformanceError} */
export function ensure(holds: boolean, rule: string, seen?: unknown): asserts holds {
  if (holds) return;
  throw new ConformanceError(seen === undefined ? rule : `${rule}; seen: ${JSON.stringify(seen)}`);
}
