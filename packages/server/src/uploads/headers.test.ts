import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { ApiError, tus } from '@wcc/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertContentType, assertProtocol, bytesOf, checksumOf, hasBody, metadataOf } from './headers.ts';

const malformed = expect.objectContaining({ code: 'malformed_request', status: 400 }) as Error;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const digestOf = (algorithm: string, bytes: string | Uint8Array): Buffer =>
  createHash(algorithm).update(bytes).digest();
/** A request with these headers, as Node's parser returns it. */
const requestWith = (headers: IncomingHttpHeaders): IncomingMessage => ({ headers }) as IncomingMessage;

/** Characters of a header on the wire. */
const latin1 = fc.nat({ max: 255 }).map((code) => String.fromCharCode(code));
/** A key as tus allows it: without spaces and commas. */
const key = fc.stringMatching(/^[!-+\--~]{1,20}$/);
const value = fc.string({ unit: 'grapheme', maxLength: 40 });

describe('Upload-Metadata', () => {
  it('Upload-Metadata decodes every encoded text', () => {
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 6 }), (metadata) => {
        const pairs = Object.entries(metadata).map(([name, text]) => `${name} ${base64(text)}`);
        expect(Object.entries(metadataOf(pairs.join(',')))).toEqual(Object.entries(metadata));
      }),
    );
  });

  it('Upload-Metadata accepts keys without a value, spaces after commas, and base64 without padding', () => {
    expect(metadataOf('')).toEqual({});
    expect(metadataOf('is_confidential')).toEqual({ is_confidential: '' });
    expect(metadataOf('a Yg==, c ZA')).toEqual({ a: 'b', c: 'd' });
    // A byte order mark is part of the text, and a key never becomes a property of all objects.
    expect(metadataOf(`a ${base64('\uFEFFb')}`)).toEqual({ a: '\uFEFFb' });
    expect(Object.keys(metadataOf('__proto__ Yg=='))).toEqual(['__proto__']);
  });

  it.each([
    ['a key twice', 'a Yg==,a Yg=='],
    ['an empty pair', 'a Yg==,,b Yg=='],
    ['a comma at the end', 'a Yg==,'],
    ['two values', 'a Yg== Yg=='],
    ['base64 of URLs', `a ${Buffer.from([0xfb, 0xff]).toString('base64url')}`],
    ['bytes after the padding', 'a Yg==Yg=='],
    ['text that is not base64', 'a %%%'],
    ['bytes that are not UTF-8', `a ${Buffer.from([0xc3, 0x28]).toString('base64')}`],
    ['half a surrogate', `a ${Buffer.from([0xed, 0xa0, 0x80]).toString('base64')}`],
    ['a key beyond ASCII', 'schlüssel Yg=='],
    ['a key with a tab', 'a\tb Yg=='],
  ])('refuses %s', (_what, header) => {
    expect(() => metadataOf(header)).toThrow(malformed);
  });

  it('SM2: refuses a header full of padding in linear time', () => {
    const padding = '='.repeat(200_000);
    // A pattern that starts again at every position needs minutes here, a loop milliseconds.
    for (const bomb of [`a ${padding}b`, `a ${padding} b`, `a b${padding}c=`])
      expect(() => metadataOf(bomb)).toThrow(malformed);
  }, 5_000);

  it('random Upload-Metadata is decoded or refused with malformed_request', () => {
    const garbage = fc.oneof(
      fc.string({ unit: latin1, maxLength: 12 }),
      fc.array(fc.constantFrom('a', ' ', ',', '=', 'Yg', '\0')).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(garbage, (header) => {
        try {
          expect(Object.values(metadataOf(header)).every((text) => typeof text === 'string')).toBe(true);
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          expect(`${error.code} ${error.field}`).toBe('malformed_request Upload-Metadata');
        }
      }),
    );
  });
});

describe('headers with a number of bytes', () => {
  it('a header with a number of bytes accepts safe non-negative integers and refuses everything else', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(bytesOf({ 'upload-length': String(bytes) }, 'upload-length')).toBe(bytes);
      }),
    );
    expect(bytesOf({}, 'upload-length')).toBeNull();
    for (const text of [
      '',
      '-1',
      '+1',
      '1.0',
      '1e3',
      '0x10',
      ' 1',
      '9007199254740992',
      '1'.repeat(17),
      'NaN',
      '١',
    ])
      expect(() => bytesOf({ 'upload-length': text }, 'upload-length'), text).toThrow(malformed);
    expect(() => bytesOf({ 'upload-offset': ['1', '2'] }, 'upload-offset')).toThrow(malformed);
  });
});

describe('Upload-Checksum', () => {
  it('Upload-Checksum accepts a known algorithm with a base64 digest of its length', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...tus.checksumAlgorithms),
        fc.uint8Array({ maxLength: 64 }),
        (algorithm, bytes) => {
          const expected = digestOf(algorithm, bytes);
          const header = `${algorithm} ${expected.toString('base64')}`;
          const checksum = checksumOf(requestWith({ 'upload-checksum': header }));
          checksum?.hash.update(bytes);
          expect(checksum?.hash.digest().equals(checksum.expected)).toBe(true);
        },
      ),
    );
    expect(checksumOf(requestWith({}))).toBeNull();
  });

  it.each([
    '',
    'sha1',
    'sha1 ',
    `crc32 ${base64('1234')}`,
    `SHA1 ${digestOf('sha1', '').toString('base64')}`,
    `sha1 ${digestOf('md5', '').toString('base64')}`,
    `sha1 ${digestOf('sha1', '').toString('hex')}`,
    `sha1 ${digestOf('sha1', '').toString('base64')} more`,
    `sha1  ${digestOf('sha1', '').toString('base64')}`,
  ])('a malformed Upload-Checksum is refused: %j', (header) => {
    expect(() => checksumOf(requestWith({ 'upload-checksum': header }))).toThrow(malformed);
  });
});

it('detects a body by its length or chunked encoding, and requires the content type of tus', () => {
  expect(hasBody(requestWith({}))).toBe(false);
  expect(hasBody(requestWith({ 'content-length': '0' }))).toBe(false);
  expect(hasBody(requestWith({ 'content-length': '1' }))).toBe(true);
  expect(hasBody(requestWith({ 'transfer-encoding': 'chunked' }))).toBe(true);
  expect(() => assertContentType(requestWith({ 'content-type': tus.contentType }))).not.toThrow();
  for (const type of [undefined, 'application/octet-stream', `${tus.contentType}; charset=utf-8`])
    expect(() => assertContentType(requestWith({ 'content-type': type }))).toThrow(
      expect.objectContaining({ code: 'unsupported_media_type' }),
    );
});

it('F3: a checksum in a trailer is refused by its name, and other trailers are not', () => {
  const trailer = (value: string) => (): void => assertProtocol({ 'tus-resumable': '1.0.0', trailer: value });
  expect(trailer('Expires, Upload-Checksum')).toThrow(
    expect.objectContaining({ code: 'extension_unsupported', field: 'Trailer' }) as Error,
  );
  expect(trailer('Expires')).not.toThrow();
});
