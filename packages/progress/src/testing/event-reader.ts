import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '@wcc/progress';
import { ensure } from './target.ts';
import type { ConformanceTarget, ConformanceUser } from './target.ts';
import { timeoutOf } from './wire-client.ts';

const recheckMs = 5;

interface ServerEvent {
  id: string;
  name: string;
  data: string;
}

/** One response of the events' address: status, headers, and the events received so far. */
export class EventReader {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  text = '';
  isOver = false;
  readonly #response: IncomingMessage;
  readonly #timeoutMs: number;

  constructor(response: IncomingMessage, timeoutMs: number) {
    this.#response = response;
    this.#timeoutMs = timeoutMs;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    response.setEncoding('utf8');
    response.on('data', (text: string) => (this.text += text));
    response.on('error', () => undefined); // `close` follows
    response.on('close', () => (this.isOver = true));
  }

  /** The complete events: those that end with a blank line. */
  events(): ServerEvent[] {
    const blocks = this.text.replaceAll('\r\n', '\n').split('\n\n').slice(0, -1);
    const fields = (block: string, name: string): string[] =>
      block
        .split('\n')
        .flatMap((line) => (line.startsWith(`${name}:`) ? [line.slice(name.length + 1).trimStart()] : []));
    return blocks.flatMap((block) => {
      const data = fields(block, 'data');
      if (data.length === 0) return [];
      return [
        {
          id: fields(block, 'id').at(-1) ?? '',
          name: fields(block, 'event').at(-1) ?? 'message',
          data: data.join('\n'),
        },
      ];
    });
  }

  snapshots(): Snapshot[] {
    return this.events().flatMap(({ name, data }) => (name === 'op' ? [JSON.parse(data) as Snapshot] : []));
  }

  async until<T>(look: () => T | null | undefined | false, what: string): Promise<T> {
    const endsAt = performance.now() + this.#timeoutMs;
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined && found !== false) return found;
      ensure(performance.now() < endsAt, `expected ${what}`, {
        status: this.status,
        text: this.text.slice(-500),
      });
      await sleep(recheckMs);
    }
  }

  snapshot(matches: (snapshot: Snapshot) => boolean = () => true): Promise<Snapshot> {
    return this.until(() => this.snapshots().find(matches), 'an event "op"');
  }

  over(): Promise<true> {
    return this.until(() => this.isOver, 'the end of the stream');
  }

  close(): void {
    this.#response.destroy();
  }
}

/** Requests the events of an operation, with headers in addition to the target's. */
export async function readEvents(
  target: ConformanceTarget,
  { op, user = 'watcher', ...more }: { op: string; user?: ConformanceUser } & Record<string, string>,
): Promise<EventReader> {
  const wanted = target.events?.(op, user);
  ensure(wanted !== undefined, 'the target has no address for events');
  const send = wanted.url.startsWith('https:') ? requestTls : request;
  const headers = { accept: 'text/event-stream', ...wanted.headers, ...more };
  return new Promise((resolve, reject) => {
    const outgoing = send(wanted.url, { headers, agent: false }, (response) =>
      resolve(new EventReader(response, timeoutOf(target))),
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}
