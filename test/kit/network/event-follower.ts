import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '@wcc/progress';
import { createEventParser } from './event-stream.ts';

export interface EventFollowerOptions {
  /** Port of the server or of a proxy in front of it. */
  port: number;
  /** Value of the Host header. */
  host: string;
  token: string;
  operation: string;
  onSnapshot: (snapshot: Snapshot) => void;
  onRequest: () => void;
  /** Ends the follower without an error. */
  signal: AbortSignal;
  /** Closes a connection that is silent for this time. The operations of the tests report more often. */
  silentMs: number;
}

const pauseMs = 50;

/**
 * Reads the event stream of one operation like an EventSource. It reconnects with `Last-Event-ID` after each cut,
 * ignores incomplete events, and stops when the server answers 204 after the terminal event.
 */
export async function followEvents(options: EventFollowerOptions): Promise<void> {
  let lastEventId: string | null = null;
  while (!options.signal.aborted) {
    options.onRequest();
    const status = await readOnce(options, lastEventId, (id) => (lastEventId = id));
    if (status === 204) return;
    if (status !== null && status !== 200 && status !== 429 && status !== 503)
      throw new Error(`the events of ${options.operation} were answered with ${status}`);
    await sleep(pauseMs);
  }
}

/** Reads one connection until it ends. @returns its status, or `null` without an answer */
function readOnce(
  options: EventFollowerOptions,
  lastEventId: string | null,
  onId: (id: string) => void,
): Promise<number | null> {
  const { port, host, token, operation, signal, silentMs } = options;
  return new Promise((resolve, reject) => {
    let status: number | null = null;
    const sent = request({
      port,
      host: '127.0.0.1',
      path: `/api/operations/${operation}/events`,
      agent: false,
      signal,
      timeout: silentMs,
      headers: {
        host,
        authorization: `Bearer ${token}`,
        accept: 'text/event-stream',
        ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }),
      },
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(status));
    sent.on('close', () => resolve(status));
    sent.on('response', (response) => {
      status = response.statusCode ?? null;
      const take = createEventParser((event) => {
        if (event.event === 'gone') return reject(new Error(`${operation} is gone`));
        if (event.event !== 'op') return undefined;
        onId(event.id ?? '');
        return options.onSnapshot(JSON.parse(event.data) as Snapshot);
      });
      response.setEncoding('utf8');
      response.on('data', (text: string) => void (status === 200 && take(text)));
      response.on('error', () => undefined); // `close` of the request follows
      response.resume();
    });
    sent.end();
  });
}
