import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientMessage, ServerMessage, Snapshot } from '@wcc/progress';
import { SUBPROTOCOL, TICKET_PREFIX } from '@wcc/progress';
import { WebSocket } from 'ws';
import { ConformanceError, ensure } from './target.ts';
import type { ConformanceTarget, ConformanceUser } from './target.ts';

type Of<T extends ServerMessage['t']> = Extract<ServerMessage, { t: T }>;

const defaultTimeoutMs = 10_000;
const recheckMs = 5;

export interface Handshake {
  protocols: string[];
  /** Whose headers are sent. @default 'watcher' */
  user?: ConformanceUser;
  /** @default the target's */
  origin?: string;
  /** Whether Pings are answered at once. @default true */
  autoPong?: boolean;
}

/** What became of a handshake: a socket, or the status that refused it. */
export type Dialled = { socket: WireSocket; status: 101 } | { socket: null; status: number };

export function offer(ticket: string): string[] {
  return [SUBPROTOCOL, TICKET_PREFIX + ticket];
}

export function patienceOf({ patienceMs = defaultTimeoutMs }: ConformanceTarget): number {
  return patienceMs;
}

/** Shakes hands once; an `upgrade` that is refused is an answer, not an error. */
export async function dial(target: ConformanceTarget, handshake: Handshake): Promise<Dialled> {
  const { protocols, user = 'watcher', origin = target.origin, autoPong = true } = handshake;
  const socket = new WebSocket(target.url, protocols, {
    origin,
    headers: target.headers?.(user) ?? {},
    autoPong,
    perMessageDeflate: false,
    handshakeTimeout: patienceOf(target),
  });
  const wire = new WireSocket(socket, patienceOf(target));
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ socket: wire, status: 101 }));
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      resolve({ socket: null, status: response.statusCode ?? 0 });
    });
    socket.on('error', (cause: Error) =>
      reject(new ConformanceError(`the handshake failed: ${cause.message}`, { cause })),
    );
  });
}

/** A greeted socket of a user. */
export async function connectAs(
  target: ConformanceTarget,
  user: ConformanceUser,
  options: { autoPong?: boolean } = {},
): Promise<WireSocket> {
  const { socket, status } = await dial(target, {
    protocols: offer(await target.ticket(user)),
    user,
    ...options,
  });
  ensure(socket !== null, 'a fresh ticket from the right Origin opens a socket', { status });
  await socket.next('hello');
  return socket;
}

/** One socket, all that came over it in its order, and waits with an end. */
export class WireSocket {
  readonly messages: ServerMessage[] = [];
  /** The texts of the messages, as they came. */
  readonly texts: string[] = [];
  /** Payloads of Pings that were not answered yet, when `autoPong` is off. */
  readonly pings: Buffer[] = [];
  closeCode: number | null = null;
  readonly #socket: WebSocket;
  readonly #patienceMs: number;

  constructor(socket: WebSocket, patienceMs: number) {
    this.#socket = socket;
    this.#patienceMs = patienceMs;
    socket.on('message', (data: Buffer, isBinary) => {
      const text = data.toString();
      this.texts.push(text);
      this.messages.push(isBinary ? (null as never) : (JSON.parse(text) as ServerMessage));
    });
    socket.on('ping', (payload) => this.pings.push(payload));
    socket.on('close', (code) => (this.closeCode = code));
  }

  /** The subprotocol that the server chose. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  send(message: ClientMessage): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  sendBinary(bytes: Buffer): void {
    this.#socket.send(bytes);
  }

  pong(payload: Buffer): void {
    this.#socket.pong(payload);
  }

  /** Snapshots of one operation, in the order in which they came. */
  snapshots(id: string): Snapshot[] {
    return this.messages.flatMap((message) =>
      message.t === 'ops' ? message.d.filter((snapshot) => snapshot.id === id) : [],
    );
  }

  /** The first message of a kind that fits, also one that came already. */
  async next<T extends ServerMessage['t']>(
    type: T,
    fits: (message: Of<T>) => boolean = () => true,
  ): Promise<Of<T>> {
    return this.until(
      () => this.messages.find((message): message is Of<T> => message.t === type && fits(message as Of<T>)),
      `a message "${type}"`,
    );
  }

  /** The first snapshot of an operation that fits. */
  async snapshot(id: string, fits: (snapshot: Snapshot) => boolean = () => true): Promise<Snapshot> {
    return this.until(() => this.snapshots(id).find(fits), 'a snapshot');
  }

  /** The code with which the server closed. */
  async closed(): Promise<number> {
    return this.until(() => this.closeCode, 'the server to close the socket');
  }

  /** @throws {ConformanceError} when it does not come in time */
  async until<T>(look: () => T | null | undefined, what: string): Promise<T> {
    const endsAt = performance.now() + this.#patienceMs;
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined) return found;
      const seen = { closeCode: this.closeCode, last: this.messages.slice(-3) };
      ensure(performance.now() < endsAt, `${what} has to come`, seen);
      await sleep(recheckMs);
    }
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, 'close');
    this.#socket.terminate();
    await closed;
  }
}

/** What is done in the current phase of a snapshot. */
export function doneOf({ phases, phaseIndex }: Snapshot): number | null {
  const phase = phases[phaseIndex];
  return phase !== undefined && 'done' in phase ? phase.done : null;
}
