import { createHash, randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { ProgressError } from '@wcc/progress';

/** What a ticket grants, and to whom. */
export interface TicketClaims {
  session: string;
  user: string;
  /** What the ticket opens, e.g. `watch`. The code that takes the ticket compares it. */
  purpose: string;
  /** The only Origin that may use it. */
  origin: string;
  /** The resource, e.g. one machine's screen; absent for `watch`. */
  target?: string;
  sessionVersion: number;
}

/** Options of {@link createTickets}. */
export interface TicketsOptions {
  /** Monotonic clock in milliseconds. @default performance.now */
  now?: () => number;
  /** How long an unused ticket is valid. @default 30000 */
  ttlMs?: number;
  /** Unused tickets that one session may hold. @default 10 */
  perSession?: number;
}

/** Single-use tickets, each for one socket and one purpose. Stores only the SHA-256 of a ticket. */
export interface Tickets<T extends TicketClaims = TicketClaims> {
  /** @throws {TicketError} if the session already has `perSession` unused tickets */
  issue(claims: T): { ticket: string; expiresInS: number };
  /** Takes and deletes a ticket in one step; of two concurrent calls one returns `null`. */
  take(ticket: string): T | null;
  /** Deletes all tickets of a session. @returns how many it deleted */
  revokeSession(session: string): number;
}

/** Thrown by `issue`; its `code` is `too_many_tickets`. */
export class TicketError extends ProgressError {
  override readonly name: string = 'TicketError';
  constructor() {
    super('too_many_tickets');
  }
}

interface StoredTicket<T> {
  claims: T;
  expiresAtMs: number;
}

const ticketBytes = 32;

// Looked up by hash, so the time of the search reveals nothing about the ticket.
const hashOf = (ticket: string): string => createHash('sha256').update(ticket).digest('base64');

/** Creates a ticket store in this process's memory. */
export function createTickets<T extends TicketClaims = TicketClaims>(
  options: TicketsOptions = {},
): Tickets<T> {
  const now = options.now ?? (() => performance.now());
  const ttlMs = options.ttlMs ?? 30_000;
  const perSession = options.perSession ?? 10;
  // All tickets live equally long, so the order of insertion is the order of expiry.
  const stored = new Map<string, StoredTicket<T>>();

  const expire = (): void => {
    for (const [hash, { expiresAtMs }] of stored) {
      if (expiresAtMs > now()) return;
      stored.delete(hash);
    }
  };

  const countOf = (session: string): number => {
    let count = 0;
    for (const { claims } of stored.values()) if (claims.session === session) count += 1;
    return count;
  };

  return {
    issue: (claims) => {
      expire();
      if (countOf(claims.session) >= perSession) throw new TicketError();
      const ticket = randomBytes(ticketBytes).toString('base64url');
      stored.set(hashOf(ticket), { claims: { ...claims }, expiresAtMs: now() + ttlMs });
      return { ticket, expiresInS: Math.floor(ttlMs / 1000) };
    },
    take: (ticket) => {
      const hash = hashOf(ticket);
      const found = stored.get(hash);
      stored.delete(hash);
      return found !== undefined && found.expiresAtMs > now() ? found.claims : null;
    },
    revokeSession: (session) => {
      let revoked = 0;
      for (const [hash, { claims }] of stored) {
        if (claims.session !== session) continue;
        stored.delete(hash);
        revoked += 1;
      }
      return revoked;
    },
  };
}
