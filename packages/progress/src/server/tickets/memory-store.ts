import type { TicketClaims, TicketStore } from './store.ts';

interface StoredTicket<T> {
  claims: T;
  expiresAtMs: number;
}

/** Tickets in this process's memory. @param now monotonic clock in milliseconds */
export function createMemoryTicketStore<T extends TicketClaims>(now: () => number): TicketStore<T> {
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
    put: async (hash, claims, { ttlMs, perSession }) => {
      expire();
      if (countOf(claims.session) >= perSession) return false;
      stored.set(hash, { claims, expiresAtMs: now() + ttlMs });
      return true;
    },
    take: async (hash) => {
      const found = stored.get(hash);
      stored.delete(hash);
      return found !== undefined && found.expiresAtMs > now() ? found.claims : null;
    },
    revokeSession: async (session) => {
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
