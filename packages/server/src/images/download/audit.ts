import { audit } from '../../access/audit.ts';
import type { Principal } from '../../access/principal.ts';
import type { Store } from '../../storage/store.ts';
import type { OpenImage } from './open.ts';

/** Time in which the further parts of a download belong to its first audit row. */
const windowMs = 60 * 60_000;
/** The oldest is forgotten first, and its next part gets a row of its own. */
const maxRemembered = 10_000;

/** Bytes of an image that are about to be sent. */
export interface SentPart {
  principal: Principal;
  image: OpenImage;
  /** Offset of the first byte. */
  start: number;
}

/** Writes the audit rows of downloads. */
export interface DownloadAudit {
  /**
   * Resolves when the row is durable. Each part from offset 0 gets a row, and each other part whose principal got no
   * byte of this file within the last hour.
   */
  record(part: SentPart): Promise<void>;
}

export function createDownloadAudit(
  store: Store,
  now: () => number = () => performance.now(),
): DownloadAudit {
  const recordedAtMs = new Map<string, number>();
  return {
    async record({ principal, image, start }) {
      const key = JSON.stringify([principal.sessionKey, principal.address, image.id, image.etag]);
      const isKnown = now() - (recordedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < windowMs;
      if (start > 0 && isKnown) return;
      await store.write([audit(principal, 'image.download', `image:${image.id}`)]);
      recordedAtMs.delete(key);
      recordedAtMs.set(key, now());
      const [oldest] = recordedAtMs.keys();
      if (recordedAtMs.size > maxRemembered && oldest !== undefined) recordedAtMs.delete(oldest);
    },
  };
}
