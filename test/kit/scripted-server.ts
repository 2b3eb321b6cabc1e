import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Image, Operation, OperationLog, Pool, Session } from '@wcc/api';
import { isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import type { ClientMessage, Rights, Row, ServerMessage } from '@wcc/progress/protocol';

/**
 * Serves the built console and sends the snapshots of a test over the real protocol. Tests use it for states that a
 * real server has only briefly or rarely.
 */
export interface ScriptedServer {
  readonly url: string;
  readonly userId: string;
  /** Sends a snapshot to each watcher. The server sets `seq`. */
  feed(snapshot: Snapshot, may?: Rights): void;
  /** Removes an operation and closes every connection, so that the page requests the operation again. */
  removeOperation(id: string): void;
  /** Cuts every connection and refuses new ones until `goOnline`. */
  goOffline(): void;
  goOnline(): void;
  /** Commands that the page sent, such as `cancel <id>`. */
  readonly commands: string[];
  setLog(id: string, items: OperationLog['items']): void;
  close(): Promise<void>;
}

const consoleDir = fileURLToPath(new URL('../../packages/console/dist/', import.meta.url));
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const types: Record<string, string> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export const allRights: Rights = { cancel: true, pause: true, resume: true, retry: true, share: false };

const pool: Pool = {
  id: 'default',
  name: 'default',
  path: '/srv/images',
  state: 'ready',
  stateReason: null,
  totalBytes: 500 * 2 ** 30,
  freeBytes: 320 * 2 ** 30,
  reservedBytes: 0,
  fileSystem: 'xfs',
  clonePossible: true,
};

class Script {
  readonly operations = new Map<string, { snapshot: Snapshot; may: Rights }>();
  readonly logs = new Map<string, OperationLog['items']>();
  readonly sockets = new Set<WebSocket>();
  readonly commands: string[] = [];
  readonly session: Session;
  isOffline = false;
  #seq = 0;

  constructor(role: Session['user']['role']) {
    this.session = {
      user: { id: 'user-1', name: 'sato', role },
      expiresInMs: 3_600_000,
      version: 'scripted',
    };
  }

  feed(snapshot: Snapshot, may: Rights = allRights): void {
    this.#seq += 1;
    const stamped = { ...snapshot, seq: this.#seq };
    const isNew = !this.operations.has(stamped.id);
    this.operations.set(stamped.id, { snapshot: stamped, may });
    for (const socket of this.sockets) {
      if (isNew) send(socket, { t: 'may', op: stamped.id, may });
      send(socket, { t: 'ops', d: [stamped] });
    }
  }

  connect(socket: WebSocket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('message', (data: Buffer) =>
      this.#answer(socket, JSON.parse(data.toString()) as ClientMessage),
    );
    send(socket, {
      t: 'hello',
      v: 1,
      conn: 'scripted',
      epoch: 'e1',
      hb: 8,
      limits: { msg: 16_384, subs: 128, hz: 10 },
      exp: null,
    });
    const heartbeat = setInterval(() => send(socket, { t: 'hb', now: Date.now() }), 4000);
    socket.on('close', () => clearInterval(heartbeat));
  }

  #answer(socket: WebSocket, message: ClientMessage): void {
    if (message.t === 'refresh') return send(socket, { t: 'ok', id: message.id, exp: null });
    if (message.t !== 'sub') return send(socket, { t: 'ok', id: message.id });
    const requested = 'list' in message ? [...this.operations.keys()] : message.ops.map(({ op }) => op);
    const known = requested.map((op) => this.operations.get(op)).filter((each) => each !== undefined);
    const res = requested.map((op): Row => {
      const may = this.operations.get(op)?.may;
      return may === undefined ? { op, err: 'not_found' } : { op, may };
    });
    send(socket, { t: 'ok', id: message.id, res, ...('list' in message ? { list: message.list } : {}) });
    for (const { snapshot } of known) send(socket, { t: 'ops', d: [snapshot] });
  }

  answerHttp(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://scripted');
    if (!pathname.startsWith('/api/')) return sendFile(pathname, response);
    const [, , resource, id, more] = pathname.split('/');
    if (request.method === 'POST' && resource === 'operations') this.commands.push(`${more} ${id}`);
    const answer = this.#resource({ resource, id, more, searchParams });
    const problem = {
      code: 'not_found',
      title: 'Not found',
      status: 404,
      detail: 'There is nothing here.',
      hint: '',
    };
    response.writeHead(answer === null ? 404 : 200, {
      'content-type': answer === null ? 'application/problem+json' : 'application/json',
    });
    response.end(JSON.stringify(answer ?? problem));
  }

  #resource(requested: {
    resource: string | undefined;
    id: string | undefined;
    more: string | undefined;
    searchParams: URLSearchParams;
  }): unknown {
    const { resource, id, more, searchParams } = requested;
    if (resource === 'session') return this.session;
    if (resource === 'ws-tickets') return { ticket: 'scripted', expiresInS: 30 };
    if (resource === 'pools') return { items: [pool] };
    if (resource === 'images') return { items: [] satisfies Image[] };
    if (resource !== 'operations') return null;
    if (id === undefined) return { items: this.#list(searchParams) };
    const stored = this.operations.get(id);
    if (stored === undefined) return null;
    if (more === 'log') return { items: this.logs.get(id) ?? [] };
    const operation = { ...stored.snapshot, may: stored.may };
    return more === undefined ? operation : { operation };
  }

  #list(searchParams: URLSearchParams): Operation[] {
    const states = searchParams.get('state')?.split(',');
    return [...this.operations.values()]
      .map(({ snapshot, may }) => ({ ...snapshot, may }) as Operation)
      .filter(({ state }) => states === undefined || states.includes(state))
      .filter(({ state }) => isTerminal(state) || states !== undefined);
  }
}

function send(socket: WebSocket, message: ServerMessage): void {
  socket.send(JSON.stringify(message));
}

function sendFile(pathname: string, response: ServerResponse): void {
  const isFile = extname(pathname) !== '' && existsSync(join(consoleDir, pathname));
  response.writeHead(200, {
    'content-type': isFile ? (types[extname(pathname)] ?? 'application/octet-stream') : 'text/html',
    'content-security-policy': policy,
  });
  createReadStream(join(consoleDir, isFile ? pathname : 'index.html')).pipe(response);
}

export async function startScriptedServer(
  options: { role?: Session['user']['role'] } = {},
): Promise<ScriptedServer> {
  const script = new Script(options.role ?? 'operator');
  const http = createServer((request, response) => script.answerHttp(request, response));
  const upgrades = new WebSocketServer({ noServer: true, handleProtocols: () => 'wcc.v1' });
  http.on('upgrade', (request, raw, head) => {
    if (script.isOffline) raw.destroy();
    else upgrades.handleUpgrade(request, raw, head, (socket) => script.connect(socket));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const cut = (): void => {
    for (const socket of script.sockets) socket.terminate();
  };
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    userId: script.session.user.id,
    commands: script.commands,
    feed: (snapshot, may) => script.feed(snapshot, may),
    removeOperation: (id) => {
      script.operations.delete(id);
      cut();
    },
    goOffline: () => {
      script.isOffline = true;
      cut();
    },
    goOnline: () => (script.isOffline = false),
    setLog: (id, items) => void script.logs.set(id, items),
    close: async () => {
      cut();
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}
