// Tickets in Redis, so that each process accepts the tickets of every other: `createTickets({ store })`.
import { createClient } from 'redis';

export async function redisTicketStore(url, prefix = 'progress-ticket:') {
  const socket = { reconnectStrategy: (tries) => Math.min(50 * tries, 2000) };
  const client = createClient({ url, socket });
  client.on('error', () => undefined);
  await client.connect();
  return {
    put: async (hash, claims, { ttlMs }) => {
      await client.set(prefix + hash, JSON.stringify(claims), { expiration: { type: 'PX', value: ttlMs } });
    },
    // Reads and deletes in one step, so a ticket opens one socket, whichever processes ask for it.
    take: async (hash) => JSON.parse((await client.getDel(prefix + hash)) ?? 'null'),
    close: () => client.destroy(),
  };
}
