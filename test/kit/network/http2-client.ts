import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { connect as connectTls } from 'node:tls';

export interface Http2Request {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export interface Http2Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  json(): Record<string, unknown>;
}

/** An answer that is still arriving. */
export interface Http2Stream {
  status: number;
  text(): string;
  isOpen(): boolean;
  close(): void;
}

export interface Http2ClientOptions {
  address: string;
  port: number;
  /** The certificate to trust. */
  ca: string;
}

/**
 * One HTTP/2 connection to `localhost` at an address. It fails when the other side does not speak HTTP/2. Requests
 * without bytes have no `content-length`, as other clients send them.
 */
export class Http2Client {
  readonly #session: ClientHttp2Session;

  constructor({ address, port, ca }: Http2ClientOptions) {
    this.#session = connectHttp2(`https://localhost:${port}`, {
      createConnection: () =>
        connectTls({ host: address, port, servername: 'localhost', ca, ALPNProtocols: ['h2'] }),
    });
    // Each request has the error too.
    this.#session.on('error', () => {});
  }

  /** Starts a request; the caller sends the body. */
  open({ method = 'GET', path, headers = {} }: Http2Request): ClientHttp2Stream {
    return this.#session.request(
      { ':method': method, ':path': path, ...headers },
      { endStream: method === 'GET' },
    );
  }

  async ask(request: Http2Request): Promise<Http2Answer> {
    const stream = this.open(request);
    if (request.method !== undefined && request.method !== 'GET') stream.end(request.body);
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    return {
      status: Number(headers[constants.HTTP2_HEADER_STATUS]),
      headers,
      body,
      json: () => JSON.parse(body.toString()) as Record<string, unknown>,
    };
  }

  async follow(request: Http2Request): Promise<Http2Stream> {
    const stream = this.open(request);
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    stream.on('error', () => {});
    let text = '';
    stream.setEncoding('latin1').on('data', (part: string) => (text += part));
    return {
      status: Number(headers[constants.HTTP2_HEADER_STATUS]),
      text: () => text,
      isOpen: () => !stream.closed && !stream.readableEnded,
      close: () => stream.close(constants.NGHTTP2_CANCEL),
    };
  }

  close(): void {
    this.#session.destroy();
  }
}
