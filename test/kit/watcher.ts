import type { Snapshot } from '@wcc/progress';
import { WebSocket } from 'ws';
import { until } from './poll.ts';

/** A received message of wcc.v1 and its time. */
export interface Frame {
  atMs: number;
  text: string;
  message: Record<string, unknown> & { t: string };
}

export interface Watcher {
  readonly frames: readonly Frame[];
  /** The newest snapshot of each operation, by the client rule of wcc.v1. */
  readonly latest: ReadonlyMap<string, Snapshot>;
  /** Every snapshot in order of arrival. */
  readonly snapshots: readonly Snapshot[];
  readonly closed: { code: number } | null;
  send(message: unknown): void;
  subscribe(list: 'mine' | 'all'): void;
  waitFor(matches: (frame: Frame) => boolean, what: string, timeoutMs?: number): Promise<Frame>;
  waitForState(op: string, states: readonly string[], timeoutMs?: number): Promise<Snapshot>;
  waitForClose(timeoutMs?: number): Promise<number>;
  close(): void;
}

export interface WatcherOptions {
  token?: string;
  /** Cookie, ticket and origin, as a browser sends them. A page of another site sends no cookie. */
  session?: { cookie?: string; ticket: string; origin: string };
}

function open(port: number, options: WatcherOptions): WebSocket {
  const { session } = options;
  const protocols = session === undefined ? ['wcc.v1'] : ['wcc.v1', `wcc.ticket.${session.ticket}`];
  return new WebSocket(`ws://127.0.0.1:${port}/api/ws`, protocols, {
    perMessageDeflate: false,
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(session?.cookie === undefined ? {} : { cookie: session.cookie }),
    },
    ...(session === undefined ? {} : { origin: session.origin }),
  });
}

/** Opens a wcc.v1 socket without reconnection. Rejects if the upgrade is refused. */
export async function createWatcher(port: number, options: WatcherOptions): Promise<Watcher> {
  const socket = open(port, options);
  const frames: Frame[] = [];
  const snapshots: Snapshot[] = [];
  const latest = new Map<string, Snapshot>();
  let closed: { code: number } | null = null;
  socket.on('message', (data) => {
    const text = (data as Buffer).toString('utf8');
    const message = JSON.parse(text) as Frame['message'];
    frames.push({ atMs: performance.now(), text, message });
    if (message.t !== 'ops') return;
    for (const snapshot of message['d'] as Snapshot[]) {
      snapshots.push(snapshot);
      const previous = latest.get(snapshot.id);
      if (!previous || previous.epoch !== snapshot.epoch || snapshot.seq > previous.seq)
        latest.set(snapshot.id, snapshot);
    }
  });
  socket.on('close', (code) => (closed = { code }));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined); // A killed server resets its sockets. The `close` handler reports it.
  const watcher: Watcher = {
    frames,
    latest,
    snapshots,
    get closed() {
      return closed;
    },
    send: (message) => socket.send(JSON.stringify(message)),
    subscribe: (list) => watcher.send({ t: 'sub', id: 1, list }),
    waitFor: (matches, what, timeoutMs) =>
      until(() => frames.find(matches), { what, ...timeoutOption(timeoutMs) }),
    waitForState: (op, states, timeoutMs) =>
      until(
        () => {
          const snapshot = latest.get(op);
          return snapshot && states.includes(snapshot.state) ? snapshot : null;
        },
        { what: `${op} to be reported as ${states.join(' or ')}`, ...timeoutOption(timeoutMs) },
      ),
    waitForClose: async (timeoutMs) =>
      (await until(() => closed, { what: 'the socket to be closed', ...timeoutOption(timeoutMs) })).code,
    close: () => socket.terminate(),
  };
  return watcher;
}

function timeoutOption(timeoutMs: number | undefined): { timeoutMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs };
}
