/** What part of a file a request wants; RFC 9110, section 14. */
export type Wanted =
  | { kind: 'all' }
  /** `end` is the first byte that is not wanted. */
  | { kind: 'part'; start: number; end: number }
  /** Beyond the end of the file: 416. */
  | { kind: 'unsatisfiable' };

/**
 * Reads a `Range` header. A malformed one, another unit and several ranges count as none: a server may ignore
 * the header (section 14.2), and nobody who downloads an image asks for two pieces at once.
 */
export function parseRange(header: string | undefined, sizeBytes: number): Wanted {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return { kind: 'all' };
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0
      ? { kind: 'unsatisfiable' }
      : { kind: 'part', start: sizeBytes - length, end: sizeBytes };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return { kind: 'all' };
  if (start >= sizeBytes) return { kind: 'unsatisfiable' };
  return { kind: 'part', start, end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

/** Whether a list of entity tags names this one; `*` names all. For GET, weak and strong ones compare alike. */
export function namesTag(header: string | undefined, etag: string): boolean {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}

/** `If-Range` (section 13.1.5): a range of another state of the file would be glued to the wrong rest. */
export function mayContinue(ifRange: string | undefined, file: { etag: string; modifiedAt: Date }): boolean {
  if (ifRange === undefined) return true;
  // A date has whole seconds: it cannot tell two states of one second apart, so it never proves anything.
  return ifRange.trim() === file.etag;
}
