import type { Snapshot } from './snapshot.ts';

/**
 * Name of the wire protocol `wcc.v1`: UTF-8 JSON texts over a WebSocket. `docs/protocol.md` describes it; a
 * test compares the two.
 */
export const subprotocol = 'wcc.v1';

/** Prefix of the second subprotocol that a client offers: its single-use ticket. The server never echoes it. */
export const ticketPrefix = 'wcc.ticket.';

/** Version in `hello`. */
export const protocolVersion = 1;

/** WebSocket close codes, with the client's reaction to each. */
export const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  /** The client sent a binary message; the protocol has none. */
  binary: 1003,
  tooBig: 1009,
  /** The client sent a message that does not follow the protocol. It must not reconnect. */
  malformed: 4400,
  /** The session has ended. Sign in, then reconnect. */
  sessionEnded: 4401,
  /** No Pong for 30 s. Reconnect with back-off. */
  noPong: 4408,
  /** The user has too many open sockets. Inform the user; do not reconnect. */
  tooManyConnections: 4409,
  /** Too many messages. Reconnect after the `ms` of the preceding `err`. */
  rate: 4429,
  /** The server stops. Reconnect after the `ms` of the preceding `bye`. */
  shutdown: 4503,
} as const;

/** One of {@link closeCodes}. */
export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes];

/** HTTP statuses of a refused handshake. */
export const handshakeStatuses = {
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

/** Limits that the server enforces on each connection. */
export interface Limits {
  /** Longest message from a client. */
  messageBytes: number;
  messagesPerSecond: number;
  messageBurst: number;
  /** Operations named in one `sub` or `unsub`. */
  opsPerMessage: number;
  /** Operations that a connection may watch by name. */
  subscriptions: number;
  /** Operations in one list: the running ones, then the newest of those that ended. */
  listed: number;
  socketsPerUser: number;
  /** Unauthenticated upgrades per address. */
  pendingUpgradesPerAddress: number;
  upgradeMs: number;
  /** Maximum bytes of snapshots in one message. */
  flushBytes: number;
  /** Flushes before the next Ping. Nothing is flushed between a Ping and its Pong. */
  flushesPerPing: number;
  /** Bytes before the next Ping, if fewer than `flushesPerPing` flushes were sent. */
  bytesPerPing: number;
  pongMs: number;
  heartbeatMs: number;
  /** Maximum bytes waiting in this process or not yet covered by a Pong. Beyond it the socket is terminated. */
  bufferedBytes: number;
  reauthorizeMs: number;
}

/** Operations named in one `sub` or `unsub`, by default. */
export const maxOpsPerMessage = 64;

/** Operations that a connection may watch by name, by default. */
export const maxSubscriptions = 128;

/** The default limits. @see docs/protocol.md, "Limits" */
export const defaultLimits: Readonly<Limits> = {
  messageBytes: 16_384,
  messagesPerSecond: 20,
  messageBurst: 40,
  opsPerMessage: maxOpsPerMessage,
  subscriptions: maxSubscriptions,
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

/** Maximum size of a snapshot on the wire, in bytes. */
export const maxSnapshotBytes = 2048;

// The timers of every client are single constants, so that a bundle has numbers instead of names.

/** A connection without a message for this time is dead, in milliseconds. */
export const deadVisibleMs = 12_000;
/** The same on a hidden page, whose timers fire about once a minute. */
export const deadHiddenMs = 70_000;
/** Maximum time from the start of an attempt to `hello`. */
export const attemptMs = 4000;
/** Reconnect after `random(0, min(cap, base × 2^n))`. */
export const backoffBaseMs = 500;
/** The cap in the first minute of failures. */
export const backoffCapFirstMinuteMs = 3000;
/** The cap later. */
export const backoffCapMs = 30_000;
/** After this time online, the next failure counts as the first. */
export const resetAfterMs = 30_000;
/** First wait before a watched operation is requested again that the server does not know; doubles up to the cap. */
export const unknownBaseMs = 500;
/** Longest wait before such a request. */
export const unknownCapMs = 5000;
/** After this time such an operation counts as `not_found`. */
export const unknownForMs = 30_000;

/** Timers of every client, in milliseconds. */
export const clientTimers: Readonly<Record<string, number>> = {
  deadVisibleMs,
  deadHiddenMs,
  attemptMs,
  backoffBaseMs,
  backoffCapFirstMinuteMs,
  backoffCapMs,
  resetAfterMs,
  unknownBaseMs,
  unknownCapMs,
  unknownForMs,
};

/** Which operations a list shows: the user's own, or all that the user may watch. */
export type ListScope = 'mine' | 'all';

/** What a principal may do with an operation, e.g. `{ cancel: true, pause: false }`. */
export type Rights = Record<string, boolean>;

/** Watches operations by name. */
export interface SubscribeOps {
  t: 'sub';
  id: number;
  /** `epoch` and `seq` name the snapshot that the client holds; the server does not send it again. */
  ops: { op: string; epoch?: string; seq?: number }[];
}

/** Watches a list. It replaces the list watched before. */
export interface SubscribeList {
  t: 'sub';
  id: number;
  list: ListScope;
}

/** Stops watching operations by name. */
export interface Unsubscribe {
  t: 'unsub';
  id: number;
  ops: string[];
}

/** Stops watching the list; operations watched by name stay. */
export interface UnsubscribeList {
  t: 'unsub';
  id: number;
  list: ListScope;
}

/** Extends the authorisation of this connection. The ticket must be of the same user and session. */
export interface Refresh {
  t: 'refresh';
  id: number;
  ticket: string;
}

/** Every message that a client sends. */
export type ClientMessage = SubscribeOps | SubscribeList | Unsubscribe | UnsubscribeList | Refresh;

/** The first message of the server. */
export interface Hello {
  t: 'hello';
  v: typeof protocolVersion;
  /** Names this connection in logs. */
  conn: string;
  /** Epoch of the server's hub. */
  epoch: string;
  /** Heartbeat in seconds: the server sends something at least this often. */
  hb: number;
  limits: { msg: number; subs: number; hz: number };
  /** When the session ends, Unix time in milliseconds; `null` if it does not end. */
  exp: number | null;
}

/** `not_found` covers both unknown and forbidden operations, so a client cannot distinguish them. */
export type RowError = 'not_found' | 'too_many_subs';

/** The answer to one requested operation. */
export interface Row {
  op: string;
  /** The client already holds the newest snapshot, so none follows. */
  cur?: true;
  may?: Rights;
  err?: RowError;
}

/** The answer to a message that succeeded. */
export interface Ok {
  t: 'ok';
  id: number;
  list?: ListScope;
  res?: Row[];
  /** The list was cut at `Limits.listed`. */
  more?: true;
  /** In the answer to `refresh`: the new end of the session. */
  exp?: number | null;
}

/** Snapshots: the first one, an update, or the newest after a resume. */
export interface Ops {
  t: 'ops';
  d: Snapshot[];
}

/** Rights that changed. Also sent before the first snapshot of an operation that a list gains later. */
export interface May {
  t: 'may';
  op: string;
  may: Rights;
}

/** The client may no longer watch this operation, or it was deleted. */
export interface Gone {
  t: 'gone';
  op: string;
  why: GoneReason;
}

/** Why an operation is gone: its right was revoked, or it was deleted. */
export type GoneReason = 'revoked' | 'deleted';

/** A heartbeat. `now` is the server's clock, Unix time in milliseconds: for display, not for durations. */
export interface Heartbeat {
  t: 'hb';
  now: number;
}

/** Why a message failed. */
export type WireErrorCode = 'rate' | 'ticket_refused' | 'unavailable';

/** The answer to a message that failed. */
export interface WireError {
  t: 'err';
  /** Id of the message that failed; `null` if the error concerns the connection. */
  id: number | null;
  code: WireErrorCode;
  retry: boolean;
  ms: number;
}

/** The server stops and closes the connection. */
export interface Bye {
  t: 'bye';
  code: typeof closeCodes.shutdown;
  /** Wait before the client reconnects, in milliseconds; different for each client. */
  ms: number;
}

/** Every message that the server sends. */
export type ServerMessage = Hello | Ok | Ops | May | Gone | Heartbeat | WireError | Bye;
