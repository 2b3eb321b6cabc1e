import { closeCodes } from '@wcc/progress/protocol';
import type { CloseCode } from '@wcc/progress/protocol';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { limitInput } from './input-limit.ts';
import type { InputSource } from './input-limit.ts';
import type { MachineBridge } from './machine-sockets.ts';
import type { RfbInput } from './rfb-input.ts';
import { closeGently, keepAlive } from './socket-life.ts';
import type { LifeTimeouts } from './socket-life.ts';

/** Maximum bytes buffered for a slow page. Above it, the machine's screen is not read. */
const highWaterBytes = 1024 ** 2;

export interface BridgeOptions extends InputSource {
  backend: Duplex;
  input: RfbInput;
  timeouts?: LifeTimeouts;
  /** Whether the page expects a text message after a silence. */
  hasHeartbeat: boolean;
}

/**
 * Connects a page with a machine's screen. Reads each side only as fast as the other side accepts, and closes both when
 * one closes. Terminates a page that neither reads nor answers, which frees its slot.
 */
export function bridgeScreen(options: BridgeOptions): MachineBridge {
  const { socket, backend, input, timeouts, hasHeartbeat } = options;
  const bridge = new Bridge(socket, backend);
  const life = keepAlive(socket, { hasHeartbeat, ...(timeouts === undefined ? {} : { timeouts }) });
  backend.on('data', (chunk: Buffer) => {
    if (bridge.isClosing) return;
    life.noteSent();
    socket.send(chunk, { binary: true }, () => {
      life.noteReceived();
      if (socket.bufferedAmount < highWaterBytes) backend.resume();
    });
    if (socket.bufferedAmount >= highWaterBytes) backend.pause();
  });
  socket.on('message', (data, isBinary) => {
    life.noteReceived();
    if (bridge.isClosing) return;
    const bytes = isBinary ? readInput(toBuffer(data), input) : null;
    if (bytes === null) return bridge.close(closeCodes.malformed);
    if (bytes.length === 0 || backend.destroyed || backend.write(bytes)) return;
    bridge.pause('backend');
    backend.once('drain', () => bridge.resume('backend'));
  });
  limitInput(options, {
    pause: () => bridge.pause('budget'),
    resume: () => bridge.resume('budget'),
  });
  const end = (): void => bridge.close(closeCodes.normal);
  backend.once('end', end).once('close', end).once('error', end);
  socket.once('close', () => backend.destroy());
  socket.on('error', () => socket.terminate());
  return bridge;
}

type PauseReason = 'backend' | 'budget';

class Bridge implements MachineBridge {
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
    closeGently(this.#socket, code);
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
