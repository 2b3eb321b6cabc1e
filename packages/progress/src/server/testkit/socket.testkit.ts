import type { Snapshot } from '@wcc/progress';
import type { ClientMessage, ServerMessage } from '@wcc/progress/protocol';
import { subprotocol, ticketPrefix } from '@wcc/progress/protocol';
import { WebSocket } from 'ws';
import { testOrigin } from './gateway.testkit.ts';
import type { GatewayUnderTest } from './gateway.testkit.ts';

/** A real client on a real socket that records all messages. */
export interface Client {
  socket: WebSocket;
  texts: string[];
  messages: ServerMessage[];
  /** Newest snapshot of each operation. */
  latest: Map<string, Snapshot>;
  closed: Promise<number>;
  send(message: ClientMessage | Record<string, unknown>): void;
  /** The first message, past or future, that matches. */
  next<T extends ServerMessage['t']>(
    t: T,
    match?: (message: Extract<ServerMessage, { t: T }>) => boolean,
  ): Promise<Extract<ServerMessage, { t: T }>>;
  snapshot(op: string, match?: (snapshot: Snapshot) => boolean): Promise<Snapshot>;
}

const waitMs = 5000;

export interface ConnectOptions {
  user?: string;
  session?: string;
  ticket?: string | null;
  origin?: string | null;
  headers?: Record<string, string>;
  protocols?: string[];
}

export function dial(under: GatewayUnderTest, options: ConnectOptions = {}): WebSocket {
  const { user = 'u1', session = `session of ${user}`, origin = testOrigin } = options;
  const ticket = options.ticket === undefined ? under.ticket({ user, session }) : options.ticket;
  const offered = ticket === null ? [subprotocol] : [subprotocol, ticketPrefix + ticket];
  return new WebSocket(under.url, options.protocols ?? offered, {
    ...(origin === null ? {} : { origin }),
    headers: options.headers ?? {},
  });
}

export async function connect(under: GatewayUnderTest, options: ConnectOptions = {}): Promise<Client> {
  const client = listen(dial(under, options));
  await client.next('hello');
  return client;
}

/** The HTTP status of a handshake that fails, or 101. */
export function statusOf(socket: WebSocket): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on('open', () => {
      resolve(101);
      socket.terminate();
    });
    socket.on('error', reject);
  });
}

export function listen(socket: WebSocket): Client {
  const texts: string[] = [];
  const messages: ServerMessage[] = [];
  const latest = new Map<string, Snapshot>();
  const waiting = new Set<() => void>();

  socket.on('message', (data) => {
    const text = (data as Buffer).toString();
    const message = JSON.parse(text) as ServerMessage;
    texts.push(text);
    messages.push(message);
    for (const snapshot of message.t === 'ops' ? message.d : []) latest.set(snapshot.id, snapshot);
    for (const wake of waiting) wake();
  });
  socket.on('error', () => undefined);

  const until = <T>(what: string, look: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const attempt = (): void => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        waiting.delete(attempt);
        resolve(found);
      };
      const timer = setTimeout(() => {
        waiting.delete(attempt);
        reject(new Error(`no ${what} within ${waitMs} ms; heard ${texts.join('\n').slice(-2000)}`));
      }, waitMs);
      waiting.add(attempt);
      attempt();
    });

  return {
    socket,
    texts,
    messages,
    latest,
    closed: new Promise((resolve) => socket.on('close', resolve)),
    send: (message) => socket.send(JSON.stringify(message)),
    next: (t, match = () => true) =>
      until(t, () =>
        messages.find(
          (each): each is Extract<ServerMessage, { t: typeof t }> => each.t === t && match(each as never),
        ),
      ),
    snapshot: (op, match = () => true) =>
      until(`snapshot of ${op}`, () => {
        const snapshot = latest.get(op);
        return snapshot !== undefined && match(snapshot) ? snapshot : undefined;
      }),
  };
}
