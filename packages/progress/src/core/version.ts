/** Identifies one snapshot of an operation; `seq` is comparable within one `epoch` only. */
export interface Version {
  epoch: string;
  seq: number;
}

/** The client's rule: take a snapshot when its epoch differs from the held one or its seq is greater. */
export function isNewer(held: Version | undefined, next: Version): boolean {
  return held === undefined || held.epoch !== next.epoch || next.seq > held.seq;
}
