import type { Socket } from 'node:net';
import { HypervisorError } from '../hypervisor-error.ts';
import { connectUnix } from '../unix-socket.ts';

export interface QmpEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** One connection to the monitor of a machine. QEMU serves one connection at a time. */
export interface Qmp {
  /** @throws HypervisorError `failed` with QEMU's message, `no_answer` after 5 s or when the connection is closed */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  readonly isOpen: boolean;
  close(): void;
}

export interface QmpListeners {
  readonly onEvent: (event: QmpEvent) => void;
  readonly onClose: () => void;
}

const answerTimeoutMs = 5_000;
/** QEMU's longest answers are about 100 kB. */
const maxLineBytes = 8 * 1024 ** 2;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: HypervisorError) => void;
  readonly timer: NodeJS.Timeout;
}

type Message = Partial<QmpEvent> & {
  id?: number;
  return?: unknown;
  error?: { class?: string; desc?: string };
};

/**
 * Connects and negotiates capabilities.
 * @throws HypervisorError `no_answer`
 */
export async function connectQmp(path: string, listeners: QmpListeners): Promise<Qmp> {
  const socket = await connectUnix(path);
  const qmp = createQmp(socket, listeners);
  try {
    await qmp.execute('qmp_capabilities');
    return qmp;
  } catch (error) {
    qmp.close();
    throw error;
  }
}

function createQmp(socket: Socket, { onEvent, onClose }: QmpListeners): Qmp {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  const settle = (message: Message): void => {
    const request = pending.get(message.id ?? -1);
    if (!request) return;
    pending.delete(message.id ?? -1);
    clearTimeout(request.timer);
    if (message.error)
      request.reject(new HypervisorError('failed', { detail: message.error.desc ?? 'unknown error' }));
    else request.resolve(message.return);
  };
  const rejectAll = (cause?: unknown): void => {
    for (const { reject, timer } of pending.values()) {
      clearTimeout(timer);
      reject(new HypervisorError('no_answer', { cause }));
    }
    pending.clear();
  };
  readLines(socket, (line) => {
    const message = parse(line);
    if (message === null) socket.destroy();
    else if (message.event !== undefined) onEvent(message as QmpEvent);
    else settle(message);
  });
  socket.on('error', rejectAll);
  socket.on('close', () => {
    rejectAll();
    onClose();
  });
  return {
    get isOpen() {
      return !socket.destroyed && socket.writable;
    },
    execute(command, args) {
      if (socket.destroyed) return Promise.reject(new HypervisorError('no_answer'));
      const id = (lastId += 1);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          pending.delete(id);
          reject(new HypervisorError('no_answer', { detail: command }));
        }, answerTimeoutMs);
        pending.set(id, { resolve, reject, timer });
        socket.write(`${JSON.stringify({ execute: command, id, ...(args ? { arguments: args } : {}) })}\n`);
      });
    },
    close: () => void socket.destroy(),
  };
}

function readLines(socket: Socket, onLine: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineBytes) socket.destroy();
    for (const line of lines) if (line.trim() !== '') onLine(line);
  });
}

function parse(line: string): Message | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
