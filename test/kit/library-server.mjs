// A server of its own with @wcc/progress, for tests that end it: `node library-server.mjs PORT STATE_FILE TOKEN`.
// Its operations are in the file, so that a new process continues them. The owner of the token reports and watches.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { createHub, serveProgress } from '@wcc/progress/server';

const [port, file, token] = process.argv.slice(2);
const hub = createHub();
const ownerOf = ({ headers }) => (headers.authorization === `Bearer ${token}` ? 'owner' : null);
const records = new Map(JSON.parse(readFileSync(file, 'utf8')));

function put(id, changes) {
  const { done, state } = { done: 0, ...records.get(id), ...changes };
  records.set(id, { done, state });
  writeFileSync(file, JSON.stringify([...records]));
  const error =
    state === 'failed' ? { code: 'lost', message: 'The wolf came.', hint: '', detail: null } : null;
  const phases = [{ name: 'work', done, total: 100 }];
  return hub.put({ id, action: 'count', owner: 'owner', state, error, phases });
}

async function answer(request, response) {
  if (ownerOf(request) === null) return response.writeHead(401).end();
  const id = request.url.replace('/operations/', '');
  const snapshot = request.method === 'GET' ? hub.get(id) : put(id, await json(request));
  return response.end(JSON.stringify(snapshot ?? null));
}

for (const [id, { state }] of records) put(id, state === 'running' ? { state: 'interrupted' } : {});
const server = createServer((request, response) => void answer(request, response));
const progress = serveProgress(server, { hub, user: ownerOf });
server.listen(Number(port), '127.0.0.1');
process.once('SIGTERM', () => void progress.close().then(() => process.exit()));
