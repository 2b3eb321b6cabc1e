import type { IncomingMessage } from 'node:http';

/** Why the body of a feed could not be read. */
export class BodyRefusal extends Error {
  readonly code: 'too_big' | 'not_json' | 'malformed';
  constructor(code: 'too_big' | 'not_json' | 'malformed') {
    super(code);
    this.code = code;
  }
}

/** The subscriptions of `?id=…&id=…&list=mine`: message 1 for the operations, message 2 for the list. */
export function subscriptionsOfQuery(url: string): unknown[] {
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  const ids = query.getAll('id');
  const list = query.get('list');
  return [
    ...(ids.length > 0 ? [{ t: 'sub', id: 1, ops: ids.map((op) => ({ op })) }] : []),
    ...(list === null ? [] : [{ t: 'sub', id: 2, list }]),
  ];
}

export function assertJson(type: string | undefined): void {
  if (!/^application\/json\s*(;|$)/i.test(type ?? '')) throw new BodyRefusal('not_json');
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BodyRefusal('malformed');
  }
}

/**
 * Reads the JSON body of a request.
 *
 * @throws {BodyRefusal} if it is not JSON, longer than `maxBytes`, or not complete after `deadlineMs`
 */
export async function readJson(
  request: IncomingMessage,
  { maxBytes, deadlineMs }: { maxBytes: number; deadlineMs: number },
): Promise<unknown> {
  assertJson(request.headers['content-type']);
  const timer = setTimeout(() => request.destroy(), deadlineMs).unref();
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new BodyRefusal('too_big');
      chunks.push(chunk);
    }
    return parseJson(Buffer.concat(chunks).toString());
  } finally {
    clearTimeout(timer);
  }
}
