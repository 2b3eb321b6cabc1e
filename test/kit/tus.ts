import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { once } from 'node:events';

/** The answer to a tus request. */
export interface TusResponse {
  status: number;
  headers: IncomingHttpHeaders;
  offset: number | null;
  code: string | null;
  text: string;
}

export interface TusRequest {
  headers?: Record<string, string | undefined>;
  body?: Buffer;
}

export interface TusClient {
  readonly baseUrl: string;
  request(method: string, path: string, options?: TusRequest): Promise<TusResponse>;
  /** Creates an upload. @returns its path @throws if the server refuses it */
  create(name: string, sizeBytes: number, metadata?: Record<string, string>): Promise<string>;
  head(path: string): Promise<TusResponse>;
  patch(path: string, offset: number, body: Buffer): Promise<TusResponse>;
  /** A client that replaces its own headers by these. `undefined` removes a header. */
  with(headers: NonNullable<TusRequest['headers']>): TusClient;
  /** Starts a PATCH request whose body the caller writes and ends. */
  open(path: string, offset: number, lengthBytes: number): ClientRequest;
}

export const offsetType = 'application/offset+octet-stream';

export function metadataHeader(metadata: Record<string, string>): string {
  return Object.entries(metadata)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

/**
 * Creates a tus client without retries, with full control of the headers. `credentials` are headers that every
 * request sends.
 */
export function createTusClient(
  baseUrl: string,
  credentials: Record<string, string>,
  instead: NonNullable<TusRequest['headers']> = {},
): TusClient {
  const base = (): Record<string, string> => ({ 'tus-resumable': '1.0.0', ...credentials });
  const start = (method: string, path: string, headers: TusRequest['headers']): ClientRequest => {
    const all = { ...base(), connection: 'close', ...headers, ...instead };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return request(`${baseUrl}${path}`, { method, headers: given, agent: false });
  };
  const sendRequest: TusClient['request'] = async (method, path, { headers = {}, body } = {}) => {
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const outgoing = start(method, path, { ...length, ...headers });
    // The server may refuse and close the connection before it has received the body.
    const answer = readResponse(outgoing);
    outgoing.end(body);
    return answer;
  };
  return {
    baseUrl,
    request: sendRequest,
    with: (headers) => createTusClient(baseUrl, credentials, headers),
    async create(name, sizeBytes, metadata = {}) {
      const header = metadataHeader({ filename: name, ...metadata });
      const headers = { 'upload-length': String(sizeBytes), 'upload-metadata': header };
      const answer = await sendRequest('POST', '/api/uploads', { headers });
      if (answer.status !== 201) throw new Error(`creation: ${answer.status} ${answer.text}`);
      return String(answer.headers.location);
    },
    head: (path) => sendRequest('HEAD', path),
    patch: (path, offset, body) =>
      sendRequest('PATCH', path, {
        headers: { 'content-type': offsetType, 'upload-offset': String(offset) },
        body,
      }),
    open(path, offset, lengthBytes) {
      const headers = {
        'content-type': offsetType,
        'upload-offset': String(offset),
        'content-length': String(lengthBytes),
      };
      const outgoing = start('PATCH', path, headers);
      outgoing.on('error', () => {});
      return outgoing;
    },
  };
}

/** Waits for the answer to a request whose body may still be in flight. */
export async function readResponse(outgoing: ClientRequest): Promise<TusResponse> {
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  outgoing.on('error', () => {});
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) text += String(part);
  const offset = response.headers['upload-offset'];
  const isJson = /json/.test(response.headers['content-type'] ?? '') && text !== '';
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    offset: offset === undefined ? null : Number(offset),
    code: isJson ? String((JSON.parse(text) as { code?: unknown }).code) : null,
    text,
  };
}

export function computeDigest(bytes: Buffer, algorithm = 'sha256'): Buffer {
  return createHash(algorithm).update(bytes).digest();
}

/** The id of an upload, which is also the id of its operation. */
export function uploadId(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
