import type { IncomingHttpHeaders } from 'node:http';
import { parseHttpDate } from '../images/import/http-date.ts';

/** What identifies one state of a file. */
export interface Representation {
  /** A strong entity tag. */
  etag: string;
  modifiedAt: Date;
  sizeBytes: number;
}

/** The requested part of a file; RFC 9110, section 14. */
export type RequestedRange =
  | { kind: 'all' }
  /** `end` is exclusive. */
  | { kind: 'part'; start: number; end: number }
  /** After the end of the file: 416. */
  | { kind: 'unsatisfiable' };

export type Wanted =
  | RequestedRange
  /** 304: the client has this state already. */
  | { kind: 'not_modified' }
  /** 412: the client wants another state only. */
  | { kind: 'precondition_failed' };

export interface ConditionalRequest {
  method: string;
  headers: IncomingHttpHeaders;
}

/** Evaluates all preconditions of RFC 9110, section 13, in the order of section 13.2.2, and then the range. */
export function evaluate({ method, headers }: ConditionalRequest, file: Representation): Wanted {
  const isUnchanged =
    headers['if-match'] === undefined
      ? !isModifiedSince(headers['if-unmodified-since'], file, false)
      : hasTag(headers['if-match'], file.etag, 'strong');
  if (!isUnchanged) return { kind: 'precondition_failed' };
  const isKnown =
    headers['if-none-match'] === undefined
      ? !isModifiedSince(headers['if-modified-since'], file, true)
      : hasTag(headers['if-none-match'], file.etag, 'weak');
  if (isKnown) return { kind: 'not_modified' };
  // GET is the only method with ranges (section 14.2).
  if (method !== 'GET' || !canResume(headers['if-range'], file)) return { kind: 'all' };
  return parseRange(headers.range, file.sizeBytes);
}

/** Whether a list of entity tags contains the tag; `*` matches all. A strong comparison ignores weak tags. */
export function hasTag(header: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (header.trim() === '*') return true;
  const tags = header.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => tag === etag || (comparison === 'weak' && tag === `W/${etag}`));
}

/** `unknown` is the result without a date, or with one that is not an HTTP date: such a header is ignored. */
function isModifiedSince(
  header: string | undefined,
  { modifiedAt }: Representation,
  unknown: boolean,
): boolean {
  const sinceMs = parseHttpDate(header);
  if (sinceMs === null) return unknown;
  // Last-Modified has whole seconds.
  return Math.floor(modifiedAt.getTime() / 1000) * 1000 > sinceMs;
}

/**
 * Parses a `Range` header. A malformed header, another unit and several ranges count as none; a server may ignore
 * the header (section 14.2).
 */
export function parseRange(header: string | undefined, sizeBytes: number): RequestedRange {
  const [, list = ''] = /^bytes=(.*)$/i.exec(header?.trim() ?? '') ?? [];
  // Empty elements of a list count for nothing (section 5.6.1).
  const [only = '', ...others] = list.split(',').flatMap((each) => each.trim() || []);
  const [, first = '', last = ''] = /^(\d*)-(\d*)$/.exec(only) ?? [];
  if (others.length > 0 || (first === '' && last === '')) return { kind: 'all' };
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0
      ? { kind: 'unsatisfiable' }
      : { kind: 'part', start: sizeBytes - length, end: sizeBytes };
  }
  // Numbers beyond the exact ones stay beyond every file.
  const start = Number(first);
  if (last !== '' && Number(last) < start) return { kind: 'all' };
  if (start >= sizeBytes) return { kind: 'unsatisfiable' };
  return { kind: 'part', start, end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

/** `If-Range` (section 13.1.5): a partial answer is allowed only if the file is unchanged. */
export function canResume(ifRange: string | string[] | undefined, file: { etag: string }): boolean {
  if (ifRange === undefined) return true;
  // A date has whole seconds, so two versions within one second look equal. It is never accepted.
  return (Array.isArray(ifRange) ? ifRange[0] : ifRange)?.trim() === file.etag;
}
