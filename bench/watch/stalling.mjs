// Sockets that watch and never read. They reconnect when the server terminates them (30 s without a Pong): see memory.mjs.
import { RawClient } from './raw-client.mjs';

const lifeS = 33;
let connections = 0;

async function keepStalling({ sockets, ...target }) {
  const open = () =>
    new Promise((resolve) => {
      const client = new RawClient({
        ...target,
        framing: 'wcc',
        mode: 'stall',
        onReady: () => resolve(client),
      });
      connections += 1;
    });
  const renew = async (client) => {
    client.destroy();
    const next = await open();
    setTimeout(() => void renew(next), lifeS * 1000);
  };
  const first = await Promise.all(Array.from({ length: sockets }, open));
  // Spreads the connections, so that they do not all reconnect within one second.
  first.forEach((client, index) =>
    setTimeout(() => void renew(client), (lifeS * 1000 * (index + 1)) / sockets),
  );
  process.send({ ready: true });
}

process.on('message', (message) => {
  if (message === 'report') process.send({ connections, lifeS });
  else void keepStalling(message);
});
process.on('disconnect', () => process.exit());
