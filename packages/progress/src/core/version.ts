/** Identifies one snapshot of an operation. Compare `seq` within one `epoch` only. */
export interface Version {
  epoch: string;
  seq: number;
}

/** True if `next` replaces `current`: its epoch differs, or its seq is greater. */
export function isNewer(current: Version | undefined, next: Version): boolean {
  return current === undefined || current.epoch !== next.epoch || next.seq > current.seq;
}
