import { createHash, randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { ProgressError } from '@wcc/progress';

export interface TicketClaims {
  session: string;
  user: string;
  /** What the ticket opens, e.g. `watch`: whoever takes it compares. */
  purpose: string;
  /** The only Origin that may use it. */
  origin: string;
  /** One machine's screen, say; absent for `watch`. */
  target?: string;
  sessionVersion: number;
}

export interface TicketsOptions {
  /** Monotonic clock in milliseconds. @default performance.now */
  now?: () => number;
  /** @default 30000 */
  ttlMs?: number;
  /** Unused tickets that one session may hold. @default 10 */
  perSession?: number;
}

/** Single-use rights to open one socket for one purpose. Holds no ticket, only its SHA-256. */
export interface Tickets<T extends TicketClaims = TicketClaims> {
  /** @throws {TicketError} when the session holds `perSession` unused ones */
  issue(claims: T): { ticket: string; expiresInS: number };
  /** Takes and deletes it in one step: of two at once, one gets `null`. */
  take(ticket: string): T | null;
  /** @returns how many died */
  revokeSession(session: string): number;
}

/** `code` is `too_many_tickets`. */
export class TicketError extends ProgressError {
  override readonly name: string = 'TicketError';
  constructor() {
    super('too_many_tickets');
  }
}

interface Held<T> {
  claims: T;
  expiresAtMs: number;
}

const ticketBytes = 32;

// Found by hash: how long the search takes tells nothing about the ticket.
const hashOf = (ticket: string): string => createHash('sha256').update(ticket).digest('base64');

export function createTickets<T extends TicketClaims = TicketClaims>(
  options: TicketsOptions = {},
): Tickets<T> {
  const now = options.now ?? (() => performance.now());
  const ttlMs = options.ttlMs ?? 30_000;
  const perSession = options.perSession ?? 10;
  // All live equally long, so that the order of insertion is the order of expiry.
  const held = new Map<string, Held<T>>();

  const expire = (): void => {
    for (const [hash, { expiresAtMs }] of held) {
      if (expiresAtMs > now()) return;
      held.delete(hash);
    }
  };

  const countOf = (session: string): number => {
    let count = 0;
    for (const { claims } of held.values()) if (claims.session === session) count += 1;
    return count;
  };

  return {
    issue: (claims) => {
      expire();
      if (countOf(claims.session) >= perSession) throw new TicketError();
      const ticket = randomBytes(ticketBytes).toString('base64url');
      held.set(hashOf(ticket), { claims: { ...claims }, expiresAtMs: now() + ttlMs });
      return { ticket, expiresInS: Math.floor(ttlMs / 1000) };
    },
    take: (ticket) => {
      const hash = hashOf(ticket);
      const found = held.get(hash);
      held.delete(hash);
      return found !== undefined && found.expiresAtMs > now() ? found.claims : null;
    },
    revokeSession: (session) => {
      let died = 0;
      for (const [hash, { claims }] of held) {
        if (claims.session !== session) continue;
        held.delete(hash);
        died += 1;
      }
      return died;
    },
  };
}
