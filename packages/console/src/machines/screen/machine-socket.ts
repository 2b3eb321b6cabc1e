import { deadHiddenMs, deadVisibleMs, subprotocol, ticketPrefix } from '@wcc/progress/protocol';

/** Opens a socket of a machine with a ticket. */
export function openMachineSocket(path: string, ticket: string): WebSocket {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url, [subprotocol, ticketPrefix + ticket]);
}

type Source = Pick<EventTarget, 'addEventListener'>;

export interface SilenceOptions {
  /** The page sees every message of the server as an event of this socket. */
  socket: Source;
  /** @default document */
  page?: Source & Pick<Document, 'visibilityState'>;
  onSilent: () => void;
}

/**
 * Calls `onSilent` once if no message arrives for too long, also while the socket is connecting. The server sends a
 * heartbeat every 8 s, so that the connection is then dead although the browser does not know it.
 */
export function watchSilence({ socket, page = document, onSilent }: SilenceOptions): void {
  const ending = new AbortController();
  const { signal } = ending;
  let heardAtMs = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const check = (): void => {
    clearTimeout(timer);
    // Timers of a hidden page fire about once a minute.
    const limitMs = page.visibilityState === 'hidden' ? deadHiddenMs : deadVisibleMs;
    const leftMs = heardAtMs + limitMs - performance.now();
    if (leftMs > 0) return void (timer = setTimeout(check, leftMs));
    ending.abort();
    onSilent();
  };
  signal.addEventListener('abort', () => clearTimeout(timer));
  socket.addEventListener('message', () => void (heardAtMs = performance.now()), { signal });
  socket.addEventListener('close', () => ending.abort(), { signal });
  page.addEventListener('visibilitychange', check, { signal });
  check();
}
