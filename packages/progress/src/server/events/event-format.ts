import type { Snapshot } from '@wcc/progress';
import type { GoneReason } from '@wcc/progress/protocol';

/**
 * The format of server-sent events (WHATWG HTML, 9.2). JSON escapes line breaks, so each snapshot is one `data:`
 * line.
 */
const opPrefix = Buffer.from('event: op\ndata: ');
const end = Buffer.from('\n\n');

/** The event's id: `<epoch>:<seq>`. */
export function eventId({ epoch, seq }: Pick<Snapshot, 'epoch' | 'seq'>): string {
  return `${epoch}:${seq}`;
}

/** `id: <epoch>:<seq>`, `event: op`, and the same bytes as on the socket. */
export function snapshotEvent(snapshot: Snapshot, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`id: ${eventId(snapshot)}\n`), opPrefix, bytes, end]);
}

const dataPrefix = Buffer.from('data: ');
const framed = new WeakMap<Buffer, Buffer>();

/** A message of the protocol as one event. Built once for all watchers of the same bytes. */
export function messageEvent(message: Buffer | string): Buffer | string {
  if (typeof message === 'string') return `data: ${message}\n\n`;
  const known = framed.get(message);
  if (known !== undefined) return known;
  const event = Buffer.concat([dataPrefix, message, end]);
  framed.set(message, event);
  return event;
}

/** The last event when the operation was deleted or its right revoked. The client must not reconnect. */
export function goneEvent(op: string, why: GoneReason): string {
  return `event: gone\ndata: ${JSON.stringify({ op, why })}\n\n`;
}

/** The server stops. @param ms wait before the browser reconnects */
export function byeEvent(ms: number): string {
  return `retry: ${ms}\nevent: bye\ndata: ${JSON.stringify({ ms })}\n\n`;
}

/** @param ms wait before the browser reconnects after a lost stream */
export function retryLine(ms: number): string {
  return `retry: ${ms}\n\n`;
}

/** A comment line, as a heartbeat for proxies. It is not an event. */
export const heartbeat = ': hb\n\n';
