import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/**
 * A signature of the last row of the audit record. The hash of that row covers all rows before it, so a
 * change of any of them is noticed unless its author has the key.
 */
export interface AuditAnchor {
  /** Number of the row. */
  number: number;
  hash: string;
  /** ISO time of the signature. */
  at: string;
  /** Names the key, so that an anchor of another key is not mistaken for a forged one. */
  keyId: string;
  /** HMAC-SHA-256 of the other fields, in hex. */
  mac: string;
}

/** The key of anchors, derived from the secrets key. */
export interface AnchorKey {
  readonly id: string;
  sign(row: { number: number; hash: string }, at: string): AuditAnchor;
  /** Null: another key made it, so this key cannot tell. */
  check(anchor: AuditAnchor): boolean | null;
}

export function createAnchorKey(secretsKey: Buffer): AnchorKey {
  const key = Buffer.from(hkdfSync('sha256', secretsKey, '', 'wcc audit anchors', 32));
  const macOf = (fields: readonly unknown[]): Buffer =>
    createHmac('sha256', key).update(JSON.stringify(fields)).digest();
  const id = macOf(['key id']).toString('hex').slice(0, 16);
  return {
    id,
    sign({ number, hash }, at) {
      return { number, hash, at, keyId: id, mac: macOf(['anchor', number, hash, at]).toString('hex') };
    },
    check({ number, hash, at, keyId, mac }) {
      if (keyId !== id) return null;
      const given = Buffer.from(mac, 'hex');
      const right = macOf(['anchor', number, hash, at]);
      return given.length === right.length && timingSafeEqual(given, right);
    },
  };
}

/** One word for the log, the anchor file and the command line. */
export function formatAnchor({ number, hash, at, keyId, mac }: AuditAnchor): string {
  return [number, Date.parse(at), hash, keyId, mac].join(':');
}

const anchorText = /\b(\d{1,15}):(\d{13}):([0-9a-f]{64}):([0-9a-f]{16}):([0-9a-f]{64})\b/g;

/** Finds the anchors in a text, e.g. in lines of a log. */
export function findAnchors(text: string): AuditAnchor[] {
  return [...text.matchAll(anchorText)].map(([, number, at, hash = '', keyId = '', mac = '']) => ({
    number: Number(number),
    hash,
    at: new Date(Number(at)).toISOString(),
    keyId,
    mac,
  }));
}

/** Whether a text is one whole anchor, and nothing else. */
export function isAnchor(text: string): boolean {
  const [anchor] = findAnchors(text);
  return anchor !== undefined && formatAnchor(anchor) === text;
}
