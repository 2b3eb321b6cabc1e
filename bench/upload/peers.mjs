// Servers to compare with, each in a separate process: node peers.mjs KIND PORT DIRECTORY
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const [kind, port, directory] = process.argv.slice(2);

const kinds = {
  /** The most common tus library for Node. */
  async tus() {
    const [{ Server }, { FileStore }] = await Promise.all([import('@tus/server'), import('@tus/file-store')]);
    const server = new Server({ path: '/files', datastore: new FileStore({ directory }) });
    return (request, response) => server.handle(request, response);
  },
  /** A minimal Node server. */
  async pipeline() {
    return async (request, response) => {
      if (request.method !== 'PUT') {
        response.writeHead(405).end();
        return;
      }
      const file = createWriteStream(join(directory, basename(request.url)), {
        highWaterMark: 4 * 1024 ** 2,
      });
      await pipeline(request, file);
      response.writeHead(204).end();
    };
  },
};

const handle = await kinds[kind]();
const server = createServer({ requestTimeout: 0 }, (request, response) => {
  Promise.resolve(handle(request, response)).catch((error) => {
    console.error(error);
    response.destroy();
  });
});
server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
