// Redis pub/sub as the transport of a bridge: `createBridge(hub, await redisTransport('redis://localhost'))`.
// Redis must be trusted: who can publish on the channel can show any progress.
import { createClient } from 'redis';

export async function redisTransport(url, channel = 'progress') {
  // Notices a connection that died without a sign within seconds, and waits at most two before it connects again.
  const socket = { socketTimeout: 10_000, reconnectStrategy: (tries) => Math.min(50 * tries, 2000) };
  const publisher = createClient({ url, socket, pingInterval: 3000 });
  const subscriber = publisher.duplicate();
  // The clients connect again by themselves; the bridge notices what was lost.
  for (const client of [publisher, subscriber]) client.on('error', () => undefined);
  await Promise.all([publisher.connect(), subscriber.connect()]);
  return {
    publish: (message) => publisher.publish(channel, message),
    subscribe: async (receive) => {
      await subscriber.subscribe(channel, receive);
      return () => {
        publisher.destroy();
        subscriber.destroy();
      };
    },
  };
}
