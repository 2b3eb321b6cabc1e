import type { GoneReason, Snapshot } from '@wcc/progress';

/**
 * The wire of server-sent events (WHATWG HTML, 9.2). Snapshots hold no line break: JSON escapes them, so that
 * each is one `data:` line.
 */
const opPrefix = Buffer.from('event: op\ndata: ');
const end = Buffer.from('\n\n');

export function eventId({ epoch, seq }: Pick<Snapshot, 'epoch' | 'seq'>): string {
  return `${epoch}:${seq}`;
}

/** `id: <epoch>:<seq>`, `event: op`, and the same bytes as on the socket. */
export function snapshotEvent(snapshot: Snapshot, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`id: ${eventId(snapshot)}\n`), opPrefix, bytes, end]);
}

/** The stream is over for this operation; a client must not come back for it. */
export function goneEvent(op: string, why: GoneReason): string {
  return `event: gone\ndata: ${JSON.stringify({ op, why })}\n\n`;
}

/** The server stops: the browser comes back by itself after so many milliseconds. */
export function byeEvent(ms: number): string {
  return `retry: ${ms}\nevent: bye\ndata: ${JSON.stringify({ ms })}\n\n`;
}

/** The client's pause before it reconnects by itself, in milliseconds. */
export function retryLine(ms: number): string {
  return `retry: ${ms}\n\n`;
}

/** A comment: no event for anybody, but a sign of life for proxies and for who counts bytes. */
export const heartbeat = ': hb\n\n';
