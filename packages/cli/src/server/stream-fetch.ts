import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { startRequest } from './http-fetch.ts';
import type { Pins } from './trust.ts';

type Init = RequestInit & { headers: Headers; pins: Pins };

/** A `fetch` for event streams from a server with a pinned key. It follows no redirect. */
export async function streamFetch(
  input: Parameters<typeof fetch>[0],
  { method = 'GET', headers, body, signal, pins }: Init,
): Promise<Response> {
  const url = input instanceof Request ? input.url : String(input);
  const outgoing = startRequest(url, {
    method,
    headers: Object.fromEntries(headers),
    ...(signal ? { signal } : {}),
    pins,
  });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  outgoing.end(typeof body === 'string' ? body : undefined);
  const [response] = await answered;
  // A later failure is an error of the body.
  outgoing.on('error', () => {});
  const { statusCode: status = 0 } = response;
  const hasBody = status !== 204 && status !== 304;
  if (!hasBody) response.resume();
  const pairs = Object.entries(response.headersDistinct).flatMap(([name, values]) =>
    (values ?? []).map((value): [string, string] => [name, value]),
  );
  return new Response(hasBody ? (Readable.toWeb(response) as ReadableStream) : null, {
    status,
    headers: pairs,
  });
}
