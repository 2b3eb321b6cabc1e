// An Express server that shows the progress of its own job: `node server.mjs`, then http://localhost:8080
import { fileURLToPath } from 'node:url';
import { createHub, serveProgress } from '@wcc/progress/server';
import express from 'express';
import { policy } from '../page/files.mjs';
import { countSheep } from '../page/sheep.mjs';
import { visitorOf, welcome } from '../page/visitors.mjs';

const hub = createHub();
const app = express();

app.use((request, response, next) => {
  response.locals.visitor = welcome(request, response);
  response.setHeader('content-security-policy', policy);
  next();
});
app.use(express.static(fileURLToPath(new URL('../page', import.meta.url))));
app.use('/library', express.static(fileURLToPath(new URL('../', import.meta.resolve('@wcc/progress')))));

app.post('/jobs', (_request, response) => {
  // Not awaited: the answer confirms the start, and the bar shows the progress and the end.
  countSheep(hub, response.locals.visitor.id).catch((error) => console.error(error.message));
  response.status(202).end();
});

const server = app.listen(Number(process.env.PORT ?? 8080), 'localhost');
serveProgress(server, { hub, user: visitorOf, onAction: (id) => hub.abort(id) });
