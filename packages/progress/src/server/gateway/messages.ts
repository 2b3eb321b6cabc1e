import type { ServerMessage } from '@wcc/progress/protocol';

const opening = Buffer.from('{"t":"ops","d":[');
const comma = Buffer.from(',');
const closing = Buffer.from(']}');

/** Messages with one snapshot, the usual case: built once for all watchers. */
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

/** The message `{"t":"ops","d":[…]}` of serialised snapshots. */
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
 * A message as an unmasked text frame (RFC 6455, 5.2). Built once for all watchers, because separate headers and
 * writes would double the cost with thousands of watchers.
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

/** Any message other than `ops`. */
export function textMessage(message: Exclude<ServerMessage, { t: 'ops' }>): string {
  return JSON.stringify(message);
}
