import type { ServerMessage } from '@wcc/progress';

const OPENING = Buffer.from('{"t":"ops","d":[');
const COMMA = Buffer.from(',');
const CLOSING = Buffer.from(']}');

/** Most messages carry one snapshot, and the same one for all its watchers: framed once. */
const single = new WeakMap<Buffer, Buffer>();

function join(snapshots: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [OPENING];
  for (const [index, bytes] of snapshots.entries()) {
    if (index > 0) parts.push(COMMA);
    parts.push(bytes);
  }
  parts.push(CLOSING);
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

/** Everything but snapshots. */
export function textMessage(message: Exclude<ServerMessage, { t: 'ops' }>): string {
  return JSON.stringify(message);
}
