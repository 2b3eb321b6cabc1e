import { createGateway, createHub } from '@wcc/progress/server';
import { Server as SocketIoServer } from 'socket.io';
import { WebSocketServer } from 'ws';
import { completeSnapshot } from './payload.mjs';

const tickMs = 100;

/**
 * Each subject gets an HTTP server and returns the function that the publisher calls at every event. `framing` is the
 * protocol of its clients. No subject compresses. Each peer is configured as its manual recommends.
 */
export const subjects = {
  wcc: { framing: 'wcc', start: startWcc },
  'ws, per client': { framing: 'wcc', start: (server) => startWs(server, sendToEach) },
  'ws, serialised once': { framing: 'wcc', start: (server) => startWs(server, sendSame) },
  'Socket.IO, default': { framing: 'socket.io', start: startSocketIo },
  'Socket.IO, tuned': { framing: 'socket.io', start: startTunedSocketIo },
};

function startWcc(server, { watchers }) {
  const hub = createHub();
  createGateway({
    hub,
    server,
    hosts: () => true,
    origins: () => true,
    authenticate: async () => ({ user: 'bench', session: 'bench' }),
    user: ({ user, session }) => ({ user, session, expiresAtMs: null }),
    authorize: () => true,
    limits: { socketsPerUser: 2 * watchers, pendingUpgradesPerAddress: 2 * watchers },
  });
  return (record) => void hub.put(record);
}

/** A minimal server that sends every event to every subscribed client. */
function startWs(server, sendAll) {
  const watching = new Set();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket) => {
    socket.on('message', () => {
      watching.add(socket);
      socket.send('{"t":"ok","id":1}');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => watching.delete(socket));
  });
  let seq = 0;
  return (record) => sendAll(watching, { t: 'ops', d: [completeSnapshot(record, (seq += 1))] });
}

function sendToEach(watching, message) {
  for (const socket of watching) socket.send(JSON.stringify(message));
}

function sendSame(watching, message) {
  const text = JSON.stringify(message);
  for (const socket of watching) socket.send(text);
}

function openSocketIo(server, options) {
  const io = new SocketIoServer(server, { serveClient: false, ...options });
  io.on('connection', (socket) => {
    socket.on('watch', (id) => {
      void socket.join(id);
      socket.emit('ok');
    });
  });
  return io;
}

/** Broadcasts each event to a room. */
function startSocketIo(server) {
  const io = openSocketIo(server, {});
  let seq = 0;
  return (record) => io.to(record.id).emit('ops', completeSnapshot(record, (seq += 1)));
}

/**
 * Sends the newest state ten times a second and drops it for clients that are not writable; the end is never dropped.
 * Uses WebSocket only and no compression.
 */
function startTunedSocketIo(server) {
  const io = openSocketIo(server, {
    transports: ['websocket'],
    perMessageDeflate: false,
    httpCompression: false,
  });
  let newest = null;
  let seq = 0;
  setInterval(() => {
    if (newest === null) return;
    const isEnd = newest.state !== 'running';
    const room = io.to(newest.id);
    (isEnd ? room : room.volatile).emit('ops', newest);
    newest = null;
  }, tickMs);
  return (record) => void (newest = completeSnapshot(record, (seq += 1)));
}
