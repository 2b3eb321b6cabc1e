import { ApiError, tus } from '@wcc/api';
import type { ChecksumAlgorithm } from '@wcc/api';
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Principal } from '../access/principal.ts';
import type { Checksum } from './receive-request.ts';

/** A request of the tus protocol by an authenticated principal. */
export interface TusRequest {
  raw: IncomingMessage;
  principal: Principal;
  /** Aborts when the rights of the principal end. */
  signal: AbortSignal;
}

/** An answer without a body. */
export interface TusAnswer {
  status: number;
  headers: Record<string, string>;
}

/** tus, "OPTIONS": the Server's versions, extensions and limit. A Client SHOULD NOT send Tus-Resumable here. */
export function describeProtocol(maxBytes: number): TusAnswer {
  return {
    status: 204,
    headers: {
      'tus-version': tus.version,
      'tus-extension': tus.extensions.join(','),
      'tus-max-size': String(maxBytes),
      'tus-checksum-algorithm': tus.checksumAlgorithms.join(','),
    },
  };
}

/**
 * tus, "Tus-Resumable": the Server MUST answer 412 to a version that it does not support, and process nothing. An
 * extension is refused by its name: a server that ignores it does something else than the client believes, and a part
 * of a file would become a whole image.
 *
 * @throws ApiError `tus_version`, `extension_unsupported`, `length_unknown`
 */
export function assertProtocol(headers: IncomingHttpHeaders): void {
  if (headers['tus-resumable'] !== tus.version) throw new ApiError('tus_version');
  const used = unsupported.find(({ header, value }) => value.test(String(headers[header] ?? '')));
  if (used !== undefined) throw used.error();
}

const any = /./;

/** Extensions of tus that wcc does not have, by a header that asks for them. */
const unsupported: readonly { header: string; value: RegExp; error: () => ApiError }[] = [
  { header: 'upload-defer-length', value: any, error: () => new ApiError('length_unknown') },
  {
    header: 'upload-concat',
    value: any,
    error: () =>
      new ApiError('extension_unsupported', {
        field: 'Upload-Concat',
        message: 'The server does not support the tus extension concatenation: several uploads for one file.',
        hint: 'Switch parallel uploads off in the client.',
      }),
  },
  {
    header: 'trailer',
    value: /upload-checksum/i,
    error: () =>
      new ApiError('extension_unsupported', {
        field: 'Trailer',
        message: 'The server does not support the tus extension checksum-trailer.',
        hint: 'Send Upload-Checksum before the body.',
      }),
  },
];

/** A header with a number of bytes; null if it is absent. @throws ApiError `malformed_request` */
export function bytesOf(headers: IncomingHttpHeaders, name: string): number | null {
  const text = headers[name];
  if (text === undefined) return null;
  const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new ApiError('malformed_request', {
    field: name,
    message: `The header ${name} is not a whole number of bytes.`,
  });
}

/** tus, "Checksum": `algorithm base64`. @throws ApiError `malformed_request`, also for an unknown algorithm */
export function checksumOf({ headers }: IncomingMessage): Checksum | null {
  const text = headers['upload-checksum'];
  if (text === undefined) return null;
  const [algorithm = '', encoded = '', ...rest] = String(text).split(' ');
  const known = tus.checksumAlgorithms.find((name): name is ChecksumAlgorithm => name === algorithm);
  // The Server MUST answer 400 when it does not support the algorithm.
  if (known === undefined) {
    const message = `The checksum algorithm is not one of ${tus.checksumAlgorithms.join(', ')}.`;
    throw new ApiError('malformed_request', { field: 'Upload-Checksum', message });
  }
  const hash = createHash(known);
  const expected = Buffer.from(encoded, 'base64');
  const isWhole = rest.length === 0 && expected.length === createHash(known).digest().length;
  if (isWhole && expected.toString('base64') === encoded) return { hash, expected };
  const message = `The checksum is not the base64 of a ${known} digest.`;
  throw new ApiError('malformed_request', { field: 'Upload-Checksum', message });
}

/**
 * tus, "Upload-Metadata": pairs of a key and a base64 value, joined by commas; a key without a value is allowed,
 * keys are unique. @throws ApiError `malformed_request`
 */
export function metadataOf(header: string): Record<string, string> {
  const metadata = new Map<string, string>();
  for (const pair of header === '' ? [] : header.split(',')) {
    const [key = '', value = '', ...rest] = pair.trim().split(' ');
    const isWellFormed = /^[\x21-\x2b\x2d-\x7e]+$/.test(key) && rest.length === 0 && !metadata.has(key);
    const text = decode(value);
    if (!isWellFormed || text === null) {
      const message = 'Upload-Metadata is not a list of unique keys with base64 values.';
      throw new ApiError('malformed_request', { field: 'Upload-Metadata', message });
    }
    metadata.set(key, text);
  }
  return Object.fromEntries(metadata);
}

/** Keeps a byte order mark, because a client gets its metadata back unchanged. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(value: string): string | null {
  const bytes = Buffer.from(value, 'base64');
  // Node ignores characters that are not base64; here they are an error. Padding is optional.
  if (withoutPadding(bytes.toString('base64')) !== withoutPadding(value)) return null;
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** In one pass from the end: a pattern such as `=+$` takes quadratic time on a header full of `=`. */
function withoutPadding(base64: string): string {
  let end = base64.length;
  while (base64[end - 1] === '=') end -= 1;
  return base64.slice(0, end);
}

/** Whether the request has a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

export function assertContentType({ headers }: IncomingMessage): void {
  if (headers['content-type'] === tus.contentType) return;
  throw new ApiError('unsupported_media_type', { hint: `Send ${tus.contentType}.` });
}
