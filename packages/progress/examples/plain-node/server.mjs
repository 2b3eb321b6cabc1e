// A plain Node server that shows the progress of its own job: `node server.mjs`, then http://localhost:8080
import { createServer } from 'node:http';
import { createHub, serveProgress } from '@wcc/progress/server';
import { fileAt } from '../page/files.mjs';
import { countSheep } from '../page/sheep.mjs';
import { visitorOf, welcome } from '../page/visitors.mjs';

const hub = createHub();

async function answer(request, response) {
  const { id: owner } = welcome(request, response);
  if (request.method === 'POST' && request.url === '/jobs') {
    // Not awaited: the answer confirms the start, and the bar shows the progress and the end.
    countSheep(hub, owner).catch((error) => console.error(error.message));
    return response.writeHead(202).end();
  }
  const file = request.method === 'GET' ? await fileAt(request.url) : null;
  return file === null ? response.writeHead(404).end() : response.writeHead(200, file.headers).end(file.body);
}
const server = createServer((request, response) => void answer(request, response));
serveProgress(server, { hub, user: visitorOf, onAction: (id) => hub.abort(id) });
server.listen(Number(process.env.PORT ?? 8080), 'localhost');
