import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { Snapshot } from '@wcc/progress';
import { until } from '../poll.ts';

export interface StreamEvent {
  event: string;
  id: string | null;
  data: string;
}

export interface EventReader {
  readonly status: number;
  readonly events: readonly StreamEvent[];
  readonly isEnded: boolean;
  latest(): Snapshot | undefined;
  waitFor(matches: (event: StreamEvent) => boolean, what: string): Promise<StreamEvent>;
  waitForEnd(): Promise<void>;
  close(): void;
}

/** Reads server-sent events with exactly the given headers, without reconnecting. */
export async function readEvents(url: string, headers: Record<string, string>): Promise<EventReader> {
  const outgoing = request(url, { headers, agent: false });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const events: StreamEvent[] = [];
  let isEnded = false;
  response.setEncoding('utf8').on(
    'data',
    createEventParser((event) => void events.push(event)),
  );
  response.on('close', () => (isEnded = true));
  response.on('error', () => undefined); // A killed server resets its streams. The `close` handler reports it.
  const ops = (): StreamEvent[] => events.filter(({ event }) => event === 'op');
  return {
    status: response.statusCode ?? 0,
    events,
    get isEnded() {
      return isEnded;
    },
    latest: () => {
      const last = ops().at(-1);
      return last === undefined ? undefined : (JSON.parse(last.data) as Snapshot);
    },
    waitFor: (matches, what) => until(() => events.find(matches), { what }),
    waitForEnd: async () => void (await until(() => isEnded, { what: 'the stream to end' })),
    close: () => outgoing.destroy(),
  };
}

/** Parses text in chunks. Text without a blank line after it is not yet an event (WHATWG HTML, 9.2.6). */
export function createEventParser(onEvent: (event: StreamEvent) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const event of blocks.map(parse)) if (event !== null) onEvent(event);
  };
}

/** `null` for a block without data. */
function parse(block: string): StreamEvent | null {
  const fields = block.split('\n').map((line) => /^([^:]*)(?:: ?(.*))?$/.exec(line));
  const valueOf = (name: string): string | null => fields.find((field) => field?.[1] === name)?.[2] ?? null;
  const data = valueOf('data');
  return data === null ? null : { event: valueOf('event') ?? 'message', id: valueOf('id'), data };
}
