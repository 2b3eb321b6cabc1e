import { ApiError } from '@wcc/api';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { mayAsk, notPublic, parseSource, resolveChecked } from './address-rules.ts';
import type { CheckedAddress, IsAllowed } from './address-rules.ts';
import { keepBody } from './body.ts';
import { freeSocketBuffers } from './socket-buffers.ts';

export interface AskOptions {
  isAllowed: IsAllowed;
  signal: AbortSignal;
  /** Resume at this offset if the file still has the state of the validator. */
  from: { offsetBytes: number; validator: string } | null;
  /** @default 60000 */
  idleMs?: number;
}

const maxRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const defaultIdleMs = 60_000;

/** An answer of any status. */
export interface Head {
  answer: IncomingMessage;
  body: AsyncIterable<Buffer>;
  /** The address that gave it, after all redirects. */
  address: URL;
  /** The addresses of all hops, the requested one first. */
  addresses: URL[];
}

/**
 * Sends the request for a file and follows at most five redirects. Every hop is checked like the first.
 * @throws ApiError `import_refused`, `import_failed`; errors of the network
 */
export async function fetchHead(source: URL, options: AskOptions): Promise<Head> {
  let url = source;
  const addresses = [source];
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const { answer, body } = await askOnce(url, options);
    const { location } = answer.headers;
    if (!redirects.has(answer.statusCode ?? 0) || location === undefined)
      return { answer, body, address: url, addresses };
    answer.destroy();
    const next = parseSource(percentEncoded(location), url);
    if (url.protocol === 'https:' && next.protocol === 'http:')
      throw new ApiError('import_refused', {
        message: 'The server redirects from https to http.',
        hint: 'Use an https address of the file itself, or its http address if you trust the network.',
      });
    url = next;
    addresses.push(next);
  }
  throw new ApiError('import_failed', {
    message: `The server redirects more than ${maxRedirects} times.`,
    hint: 'Open the address in a browser, and use the address where it ends.',
  });
}

/** Node reads the bytes of a header as Latin-1. A redirect keeps the bytes beyond ASCII, as browsers do. */
function percentEncoded(location: string): string {
  return location.replaceAll(
    /[\u0080-\u00ff]/g,
    (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** As much as browsers accept. */
const maxHeaderBytes = 256 * 1024;

async function askOnce(url: URL, options: AskOptions): Promise<Pick<Head, 'answer' | 'body'>> {
  const addresses = await resolveChecked(url, options);
  const { from, signal, idleMs = defaultIdleMs } = options;
  const range = from === null ? {} : { range: `bytes=${from.offsetBytes}-`, 'if-range': from.validator };
  const request: RequestOptions = {
    method: 'GET',
    // No shared agent: a pooled connection could be to an address that was not checked. See also `freeSocketBuffers`.
    agent: false,
    signal,
    timeout: idleMs,
    maxHeaderSize: maxHeaderBytes,
    lookup: lookupAmong(addresses),
    headers: { 'accept-encoding': 'identity', accept: '*/*', 'user-agent': 'wcc', ...range },
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const sent = send(url, request);
    sent.once('timeout', () => sent.destroy(new Error(`no bytes arrived for ${idleMs} ms`)));
    // A server that breaks the protocol can cause two errors: the second one needs a listener too.
    sent.on('error', reject);
    sent.once('response', (answer) => {
      const { remoteAddress } = answer.socket;
      if (remoteAddress !== undefined && mayAsk(remoteAddress, options.isAllowed)) {
        freeSocketBuffers(answer);
        return resolve({ answer, body: keepBody(answer) });
      }
      answer.destroy();
      reject(notPublic());
    });
    sent.end();
  });
}

/** Resolves every name to the checked addresses. */
function lookupAmong(addresses: readonly CheckedAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}
