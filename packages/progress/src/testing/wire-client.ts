import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '@wcc/progress';
import type { ClientMessage, ServerMessage } from '@wcc/progress/protocol';
import { subprotocol, ticketPrefix } from '@wcc/progress/protocol';
import { WebSocket } from 'ws';
import { ConformanceError, ensure } from './target.ts';
import type { ConformanceTarget, ConformanceUser } from './target.ts';

type Of<T extends ServerMessage['t']> = Extract<ServerMessage, { t: T }>;

const defaultTimeoutMs = 10_000;
const recheckMs = 5;

export interface HandshakeOptions {
  protocols: string[];
  /** The user whose headers are sent. @default 'watcher' */
  user?: ConformanceUser;
  /** @default the target's */
  origin?: string;
  /** Whether Pings are answered at once. @default true */
  autoPong?: boolean;
}

/** Result of a handshake: a socket, or the status of the refusal. */
export type HandshakeResult = { socket: WireSocket; status: 101 } | { socket: null; status: number };

export function subprotocolsWith(ticket: string): string[] {
  return [subprotocol, ticketPrefix + ticket];
}

export function timeoutOf({ patienceMs = defaultTimeoutMs }: ConformanceTarget): number {
  return patienceMs;
}

/** Makes one handshake. A refusal is a result, not an error. */
export async function openSocket(
  target: ConformanceTarget,
  handshake: HandshakeOptions,
): Promise<HandshakeResult> {
  const { protocols, user = 'watcher', origin = target.origin, autoPong = true } = handshake;
  const socket = new WebSocket(target.url, protocols, {
    origin,
    headers: target.headers?.(user) ?? {},
    autoPong,
    perMessageDeflate: false,
    handshakeTimeout: timeoutOf(target),
  });
  const wire = new WireSocket(socket, timeoutOf(target));
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

/** A socket of a user that has received `hello`. */
export async function connectAs(
  target: ConformanceTarget,
  user: ConformanceUser,
  options: { autoPong?: boolean } = {},
): Promise<WireSocket> {
  const { socket, status } = await openSocket(target, {
    protocols: subprotocolsWith(await target.ticket(user)),
    user,
    ...options,
  });
  ensure(socket !== null, 'a new ticket from the right Origin opens a socket', { status });
  await socket.next('hello');
  return socket;
}

/** One socket. Records all received messages in order, and can wait for a message with a time limit. */
export class WireSocket {
  readonly messages: ServerMessage[] = [];
  /** The texts of the messages. */
  readonly texts: string[] = [];
  /** Payloads of unanswered Pings, if `autoPong` is off. */
  readonly pings: Buffer[] = [];
  closeCode: number | null = null;
  readonly #socket: WebSocket;
  readonly #timeoutMs: number;

  constructor(socket: WebSocket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
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

  /** The snapshots of one operation, in order. */
  snapshots(id: string): Snapshot[] {
    return this.messages.flatMap((message) =>
      message.t === 'ops' ? message.d.filter((snapshot) => snapshot.id === id) : [],
    );
  }

  /** The first matching message of a type, including those already received. */
  async next<T extends ServerMessage['t']>(
    type: T,
    matches: (message: Of<T>) => boolean = () => true,
  ): Promise<Of<T>> {
    return this.until(
      () =>
        this.messages.find((message): message is Of<T> => message.t === type && matches(message as Of<T>)),
      `a message "${type}"`,
    );
  }

  /** The first matching snapshot of an operation. */
  async snapshot(id: string, matches: (snapshot: Snapshot) => boolean = () => true): Promise<Snapshot> {
    return this.until(() => this.snapshots(id).find(matches), 'a snapshot');
  }

  /** Waits for the server's close code. */
  async closed(): Promise<number> {
    return this.until(() => this.closeCode, 'the server to close the socket');
  }

  /** Waits until `look` returns a value. @throws {ConformanceError} after the time limit */
  async until<T>(look: () => T | null | undefined, what: string): Promise<T> {
    const endsAt = performance.now() + this.#timeoutMs;
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined) return found;
      const seen = { closeCode: this.closeCode, last: this.messages.slice(-3) };
      ensure(performance.now() < endsAt, `expected ${what}`, seen);
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

/** Units done in the current phase of a snapshot. */
export function doneOf({ phases, phaseIndex }: Snapshot): number | null {
  const phase = phases[phaseIndex];
  return phase !== undefined && 'done' in phase ? phase.done : null;
}
