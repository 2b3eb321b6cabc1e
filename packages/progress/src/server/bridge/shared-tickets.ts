import type { TicketClaims, TicketStore } from '../tickets/store.ts';
import type { Patience, Requests } from './requests.ts';

type Outgoing = Parameters<Requests['ask']>[0];

interface SharedTicketsOptions {
  /** The tickets of this process. */
  own: TicketStore;
  /** The processes that can be asked. */
  others: () => string[];
  ask: Requests['ask'];
}

/** A page waits for its socket. */
const patience: Patience = { repeatEveryMs: 300, deadlineMs: 3000 };

/**
 * Tickets of several processes. Each stays in the process that issued it, and that process deletes it when any
 * process takes it. So two that take it at once cannot both succeed.
 */
export function createSharedTickets({ own, others, ask }: SharedTicketsOptions): TicketStore {
  const askOthers = (kind: Outgoing['kind'], op: string): Promise<unknown>[] =>
    others().map((to) => ask({ to, kind, op, verb: '', by: null }, patience).catch(() => null));

  return {
    put: (hash, claims, limits) => own.put(hash, claims, limits),
    take: async (hash) => (await own.take(hash)) ?? (await firstFound(askOthers('take_ticket', hash))),
    revokeSession: async (session) => {
      const counts = await Promise.all([
        own.revokeSession?.(session),
        ...askOthers('revoke_session', session),
      ]);
      return counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
    },
  };
}

/** The first answer that is not null; null when all are. */
function firstFound(answers: readonly Promise<unknown>[]): Promise<TicketClaims | null> {
  return new Promise((resolve) => {
    for (const answer of answers)
      void answer.then((claims) => claims !== null && resolve(claims as TicketClaims));
    void Promise.all(answers).then(() => resolve(null));
  });
}
