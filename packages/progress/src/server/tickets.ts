import { createHash, randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { ProgressError } from '@wcc/progress';
import { createMemoryTicketStore } from './tickets/memory-store.ts';
import type { TicketClaims, TicketStore } from './tickets/store.ts';

/** Options of {@link createTickets}. */
export interface TicketsOptions<T extends TicketClaims = TicketClaims> {
  /** @default the memory of this process */
  store?: TicketStore<T>;
  /** Monotonic clock of the default store, in milliseconds. @default performance.now */
  now?: () => number;
  /** How long an unused ticket is valid. @default 30000 */
  ttlMs?: number;
  /** Unused tickets that one session may hold. @default 10 */
  perSession?: number;
}

/** Single-use tickets, each for one socket and one purpose. Passes only the SHA-256 of a ticket to its store. */
export interface Tickets<T extends TicketClaims = TicketClaims> {
  /**
   * @throws {ProgressError} `too_many_tickets` if the session already has `perSession` unused tickets; what the store
   * throws
   */
  issue(claims: T): Promise<{ ticket: string; expiresInS: number }>;
  /**
   * Takes and deletes a ticket in one step; of two concurrent calls one returns `null`.
   *
   * @throws what the store throws
   */
  take(ticket: string): Promise<T | null>;
  /**
   * Deletes all tickets of a session, if the store can. Without it, `ticketAuth` still refuses the tickets of a session
   * that has ended.
   *
   * @returns how many it deleted
   */
  revokeSession(session: string): Promise<number>;
}

const ticketBytes = 32;

// Looked up by hash, so the time of the search reveals nothing about the ticket.
const hashOf = (ticket: string): string => createHash('sha256').update(ticket).digest('base64url');

/** Creates single-use tickets, in this process's memory or in a store that several processes share. */
export function createTickets<T extends TicketClaims = TicketClaims>(
  options: TicketsOptions<T> = {},
): Tickets<T> {
  const { ttlMs = 30_000, perSession = 10 } = options;
  const store = options.store ?? createMemoryTicketStore<T>(options.now ?? (() => performance.now()));
  return {
    issue: async (claims) => {
      const ticket = randomBytes(ticketBytes).toString('base64url');
      const isStored = await store.put(hashOf(ticket), { ...claims }, { ttlMs, perSession });
      if (isStored === false) throw new ProgressError('too_many_tickets');
      return { ticket, expiresInS: Math.floor(ttlMs / 1000) };
    },
    take: async (ticket) => (await store.take(hashOf(ticket))) ?? null,
    revokeSession: async (session) => (await store.revokeSession?.(session)) ?? 0,
  };
}
