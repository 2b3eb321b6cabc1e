import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

export interface RawRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Parses the body as JSON. */
  json(): Record<string, unknown>;
  durationMs: number;
}

/** Sends one request with exactly the given headers, because `fetch` forbids Host, Origin and Cookie. */
export async function rawRequest(url: string, options: RawRequest = {}): Promise<RawAnswer> {
  const startedAt = performance.now();
  const outgoing = request(url, {
    method: options.method ?? 'GET',
    headers: { ...options.headers, connection: 'close' },
    agent: false,
  });
  outgoing.end(options.body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) text += String(part);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text,
    json: () => JSON.parse(text) as Record<string, unknown>,
    durationMs: performance.now() - startedAt,
  };
}
