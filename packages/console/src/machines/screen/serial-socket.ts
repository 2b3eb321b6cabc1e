import type { Viewer, ViewerEvents } from './link.ts';
import { openMachineSocket, watchSilence } from './machine-socket.ts';

export interface SerialSocketOptions {
  path: string;
  ticket: string;
  events: ViewerEvents;
  /** Gets the kept end of the log as a whole, in place of everything before. */
  onLog: (text: string) => void;
  /** Gets new output. */
  onMore: (text: string) => void;
}

/** Opens the socket of a serial log. @see docs/machines.md, "Serial log" */
export function openSerialSocket({ path, ticket, events, ...reader }: SerialSocketOptions): Viewer {
  const socket = openMachineSocket(path, ticket);
  socket.binaryType = 'arraybuffer';
  const messages = new SerialMessages(reader);
  socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data !== 'string') return messages.takeBytes(new Uint8Array(data));
    if (messages.takeText(data)) events.connected();
  });
  socket.addEventListener('open', events.opened);
  socket.addEventListener('close', events.closed);
  watchSilence({ socket, onSilent: events.silent });
  return { close: () => socket.close() };
}

/** Puts the messages together. The kept log is passed on as a whole, so that a reader keeps their place in it. */
export class SerialMessages {
  readonly #reader: Pick<SerialSocketOptions, 'onLog' | 'onMore'>;
  readonly #decoder = new TextDecoder();
  /** The kept log so far. */
  #kept = '';
  #leftBytes = 0;

  constructor(reader: Pick<SerialSocketOptions, 'onLog' | 'onMore'>) {
    this.#reader = reader;
  }

  /** @returns whether the log begins */
  takeText(text: string): boolean {
    const message = JSON.parse(text) as { t: string; bytes?: number };
    if (message.t !== 'log') return false;
    this.#leftBytes = message.bytes ?? 0;
    if (this.#leftBytes === 0) this.#reader.onLog('');
    return true;
  }

  takeBytes(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    if (this.#leftBytes === 0) return this.#reader.onMore(text);
    this.#kept += text;
    this.#leftBytes -= bytes.length;
    if (this.#leftBytes <= 0) this.#reader.onLog(this.#kept);
  }
}
