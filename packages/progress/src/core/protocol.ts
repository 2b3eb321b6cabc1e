import type { Snapshot } from './snapshot.ts';

/**
 * The wire protocol `wcc.v1`: UTF-8 JSON texts over a WebSocket. `docs/protocol.md` is its prose; a test
 * holds the two together.
 */
export const SUBPROTOCOL = 'wcc.v1';

/** The second subprotocol a client offers carries its single-use ticket; the server never echoes it. */
export const TICKET_PREFIX = 'wcc.ticket.';

export const PROTOCOL_VERSION = 1;

/** Why a socket was closed, and what a client does then. */
export const CLOSE_CODES = {
  normal: 1000,
  goingAway: 1001,
  /** A binary message came: nothing of ours is binary. */
  binary: 1003,
  tooBig: 1009,
  /** Stop: the client speaks something else. */
  malformed: 4400,
  /** Log in, then reconnect. */
  sessionEnded: 4401,
  /** No Pong for 30 s: back off. */
  noPong: 4408,
  /** Tell the user: too many sockets are open. */
  tooManyConnections: 4409,
  /** Come back after `ms` of the `err` before it. */
  rate: 4429,
  /** Come back after `ms` of the `bye` before it. */
  shutdown: 4503,
} as const;

export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];

/** HTTP statuses that answer a handshake that does not become a socket. */
export const HANDSHAKE_STATUSES = {
  badRequest: 400,
  unauthenticated: 401,
  /** Foreign Origin or Host. */
  forbidden: 403,
  notFound: 404,
  /** Not a WebSocket handshake of version 13. */
  upgradeRequired: 426,
  tooManyRequests: 429,
  unavailable: 503,
} as const;

export interface Limits {
  /** Longest message from a client. */
  messageBytes: number;
  messagesPerSecond: number;
  messageBurst: number;
  /** Operations named in one `sub` or `unsub`. */
  opsPerMessage: number;
  /** Operations a connection watches by name. */
  subscriptions: number;
  /** Operations that one list shows: all that run, then the newest of the ended ones. */
  listed: number;
  socketsPerUser: number;
  /** Upgrades that are not authenticated yet, per address. */
  pendingUpgradesPerAddress: number;
  upgradeMs: number;
  /** Most bytes of snapshots in one message. */
  flushBytes: number;
  /** A Ping after so many flushes … */
  flushesPerPing: number;
  /** … or so many bytes, whichever is first; nothing more goes before its Pong. */
  bytesPerPing: number;
  pongMs: number;
  heartbeatMs: number;
  /** Bytes that wait in this process, or that no Pong covers yet: more, and the socket is terminated. */
  bufferedBytes: number;
  reauthorizeMs: number;
}

/** @see docs/protocol.md, "Limits" */
export const LIMITS: Readonly<Limits> = {
  messageBytes: 16_384,
  messagesPerSecond: 20,
  messageBurst: 40,
  opsPerMessage: 64,
  subscriptions: 128,
  listed: 500,
  socketsPerUser: 16,
  pendingUpgradesPerAddress: 64,
  upgradeMs: 10_000,
  flushBytes: 16_384,
  flushesPerPing: 4,
  bytesPerPing: 8192,
  pongMs: 30_000,
  heartbeatMs: 8000,
  bufferedBytes: 262_144,
  reauthorizeMs: 60_000,
};

/** Longest snapshot on the wire. */
export const SNAPSHOT_BYTES = 2048;

/** What a client's own timers are, so that every client behaves the same. */
export const CLIENT_TIMERS = {
  /** Nothing came for so long: the connection is dead. A hidden page's timers fire about once a minute. */
  deadVisibleMs: 12_000,
  deadHiddenMs: 70_000,
  /** An attempt that is not open by then is given up. */
  attemptMs: 4000,
  /** Reconnect after `random(0, min(cap, base × 2^n))`. */
  backoffBaseMs: 500,
  backoffCapFirstMinuteMs: 3000,
  backoffCapMs: 30_000,
  /** Up for so long: the next failure counts as the first. */
  resetAfterMs: 30_000,
} as const;

export type ListScope = 'mine' | 'all';

/** What this principal may do with an operation, e.g. `{ cancel: true, pause: false }`. */
export type Rights = Record<string, boolean>;

export interface SubscribeOps {
  t: 'sub';
  id: number;
  /** With epoch and seq of what the client holds, nothing is sent again that it has. */
  ops: { op: string; epoch?: string; seq?: number }[];
}

export interface SubscribeList {
  t: 'sub';
  id: number;
  list: ListScope;
}

export interface Unsubscribe {
  t: 'unsub';
  id: number;
  ops: string[];
}

/** Ends the list that the connection watches; operations watched by name stay. */
export interface UnsubscribeList {
  t: 'unsub';
  id: number;
  list: ListScope;
}

/** Extends the authorisation in place; only a ticket of the same user and session does. */
export interface Refresh {
  t: 'refresh';
  id: number;
  ticket: string;
}

export type ClientMessage = SubscribeOps | SubscribeList | Unsubscribe | UnsubscribeList | Refresh;

export interface Hello {
  t: 'hello';
  v: typeof PROTOCOL_VERSION;
  /** Names this connection in logs. */
  conn: string;
  /** Epoch of the hub behind it. */
  epoch: string;
  /** Seconds: something comes at least this often. */
  hb: number;
  limits: { msg: number; subs: number; hz: number };
  /** When the session ends, Unix time in milliseconds; `null` when it has no end. */
  exp: number | null;
}

/** `not_found` for what does not exist and for what is not yours alike; the rest is about you, not about it. */
export type RowError = 'not_found' | 'too_many_subs';

export interface Row {
  op: string;
  /** The client holds the newest snapshot: none follows. */
  cur?: true;
  may?: Rights;
  err?: RowError;
}

export interface Ok {
  t: 'ok';
  id: number;
  list?: ListScope;
  res?: Row[];
  /** The list was cut at `Limits.listed`. */
  more?: true;
  /** Answer to `refresh`: the new end of the session. */
  exp?: number | null;
}

/** First snapshot, update and resume are this one message. */
export interface Ops {
  t: 'ops';
  d: Snapshot[];
}

/** Goes before the first snapshot of a listed operation that appeared later, and after rights changed. */
export interface May {
  t: 'may';
  op: string;
  may: Rights;
}

export interface Gone {
  t: 'gone';
  op: string;
  why: GoneReason;
}

export type GoneReason = 'revoked' | 'deleted';

/** The server's clock, Unix time in milliseconds: for display, never for durations. */
export interface Heartbeat {
  t: 'hb';
  now: number;
}

export type WireErrorCode = 'rate' | 'ticket_refused' | 'unavailable';

export interface WireError {
  t: 'err';
  /** Of the message that failed; `null` when it was about none in particular. */
  id: number | null;
  code: WireErrorCode;
  retry: boolean;
  ms: number;
}

export interface Bye {
  t: 'bye';
  code: typeof CLOSE_CODES.shutdown;
  /** Reconnect after so many milliseconds: every client is told another number. */
  ms: number;
}

export type ServerMessage = Hello | Ok | Ops | May | Gone | Heartbeat | WireError | Bye;
