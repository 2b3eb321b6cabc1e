import { closeCodes } from '@wcc/progress/protocol';
import type { CloseCode } from '@wcc/progress/protocol';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { createInputBudget } from './input-budget.ts';
import type { InputBudget } from './input-budget.ts';
import type { RfbInput } from './rfb-input.ts';

/** Maximum bytes buffered for a slow page. Above it, the machine's screen is not read. */
const highWaterBytes = 1024 ** 2;

/** A page that does not answer the close frame is terminated after this time. */
const closeGraceMs = 800;

/** How often a page gets a ping, and how long it may be silent. */
const defaultTimeouts: ScreenTimeouts = { pingMs: 20_000, silentMs: 60_000 };

export interface ScreenTimeouts {
  pingMs: number;
  silentMs: number;
}

export interface BridgeOptions {
  socket: WebSocket;
  /** The connection below the socket. */
  wire: Duplex;
  backend: Duplex;
  input: RfbInput;
  /** @default createInputBudget() */
  budget?: InputBudget;
  timeouts?: ScreenTimeouts;
}

export interface ScreenBridge {
  /** From this call on no byte passes in either direction. The socket is closed, and terminated within a second. */
  close(code: CloseCode): void;
}

/**
 * Connects a page with a machine's screen. Reads each side only as fast as the other side accepts, and closes both when
 * one closes. Terminates a page that neither reads nor answers, which frees its slot.
 */
export function bridgeScreen(options: BridgeOptions): ScreenBridge {
  const { socket, backend, input, timeouts = defaultTimeouts } = options;
  const bridge = new Bridge(socket, backend);
  const markAlive = terminateWhenSilent(socket, timeouts);
  backend.on('data', (chunk: Buffer) => {
    if (bridge.isClosing) return;
    socket.send(chunk, { binary: true }, () => {
      markAlive();
      if (socket.bufferedAmount < highWaterBytes) backend.resume();
    });
    if (socket.bufferedAmount >= highWaterBytes) backend.pause();
  });
  socket.on('message', (data, isBinary) => {
    markAlive();
    if (bridge.isClosing) return;
    const bytes = isBinary ? readInput(toBuffer(data), input) : null;
    if (bytes === null) return bridge.close(closeCodes.malformed);
    if (bytes.length === 0 || backend.destroyed || backend.write(bytes)) return;
    bridge.pause('backend');
    backend.once('drain', () => bridge.resume('backend'));
  });
  limitInput(options, bridge);
  const end = (): void => bridge.close(closeCodes.normal);
  backend.once('end', end).once('close', end).once('error', end);
  socket.once('close', () => backend.destroy());
  socket.on('error', () => socket.terminate());
  return bridge;
}

type PauseReason = 'backend' | 'budget';

class Bridge implements ScreenBridge {
  readonly #socket: WebSocket;
  readonly #backend: Duplex;
  readonly #pauses = new Set<PauseReason>();
  isClosing = false;

  constructor(socket: WebSocket, backend: Duplex) {
    this.#socket = socket;
    this.#backend = backend;
  }

  close(code: CloseCode): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.#backend.destroy();
    this.#socket.close(code);
    // The page's close frame may wait behind its input.
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.terminate(), closeGraceMs).unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }

  pause(reason: PauseReason): void {
    if (this.isClosing) return;
    this.#pauses.add(reason);
    this.#socket.pause();
  }

  resume(reason: PauseReason): void {
    this.#pauses.delete(reason);
    if (this.#pauses.size === 0) this.#socket.resume();
  }
}

/** Reads nothing from a page that sends more than its budget. The page then waits, and nothing is lost. */
function limitInput({ socket, wire, budget = createInputBudget() }: BridgeOptions, bridge: Bridge): void {
  let timer: NodeJS.Timeout | undefined;
  const spend = (cost: Parameters<InputBudget['spend']>[0]): void => {
    const waitMs = budget.spend(cost);
    if (waitMs === 0) return;
    bridge.pause('budget');
    clearTimeout(timer);
    timer = setTimeout(() => bridge.resume('budget'), waitMs).unref();
  };
  wire.on('data', (chunk: Buffer) => spend({ bytes: chunk.length }));
  for (const event of ['message', 'ping', 'pong'] as const) socket.on(event, () => spend('message'));
  socket.once('close', () => clearTimeout(timer));
}

/** Terminates a socket whose computer is asleep or gone. @returns call it whenever the page has shown activity */
function terminateWhenSilent(socket: WebSocket, { pingMs, silentMs }: ScreenTimeouts): () => void {
  let seenAtMs = performance.now();
  const markAlive = (): void => {
    seenAtMs = performance.now();
  };
  const timer = setInterval(() => {
    if (performance.now() - seenAtMs > silentMs) socket.terminate();
    else socket.ping();
  }, pingMs).unref();
  socket.on('pong', markAlive);
  socket.once('close', () => clearInterval(timer));
  return markAlive;
}

/** The bytes that may pass; null for malformed RFB, which is not forwarded. */
function readInput(bytes: Buffer, input: RfbInput): Buffer | null {
  try {
    return input.pass(bytes);
  } catch {
    return null;
  }
}

function toBuffer(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
