import type { ServerMessage } from '@wcc/progress';

const opening = Buffer.from('{"t":"ops","d":[');
const comma = Buffer.from(',');
const closing = Buffer.from(']}');

/** Most messages carry one snapshot, and the same one for all its watchers: framed once. */
const single = new WeakMap<Buffer, Buffer>();

function join(snapshots: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [opening];
  for (const [index, bytes] of snapshots.entries()) {
    if (index > 0) parts.push(comma);
    parts.push(bytes);
  }
  parts.push(closing);
  return Buffer.concat(parts);
}

/** `{"t":"ops","d":[…]}` from snapshots that are serialised already. */
export function opsMessage(snapshots: readonly Buffer[]): Buffer {
  const [first] = snapshots;
  if (snapshots.length !== 1 || first === undefined) return join(snapshots);
  const known = single.get(first);
  if (known !== undefined) return known;
  const message = join(snapshots);
  single.set(first, message);
  return message;
}

const framed = new WeakMap<Buffer, Buffer>();
const finText = 0x81;

/**
 * A whole frame of a message, unmasked as a server's frames are (RFC 6455, 5.2). Made once for all watchers of a
 * message: with thousands of them, header and gathering write of each cost as much as the rest.
 */
export function textFrame(message: Buffer): Buffer {
  const known = framed.get(message);
  if (known !== undefined) return known;
  const frame = Buffer.concat([frameHead(message.length), message]);
  framed.set(message, frame);
  return frame;
}

function frameHead(length: number): Buffer {
  if (length < 126) return Buffer.from([finText, length]);
  const isShort = length < 65_536;
  const head = Buffer.alloc(isShort ? 4 : 10);
  head[0] = finText;
  head[1] = isShort ? 126 : 127;
  if (isShort) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** Everything but snapshots. */
export function textMessage(message: Exclude<ServerMessage, { t: 'ops' }>): string {
  return JSON.stringify(message);
}
