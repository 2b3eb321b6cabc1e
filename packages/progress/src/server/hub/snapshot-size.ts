import type { Snapshot } from '@wcc/progress';
import { ProgressError, SNAPSHOT_BYTES } from '@wcc/progress';

/** Limits for each text, tried in order until the snapshot fits. File names on Linux have up to 255 bytes. */
const textCapsBytes = [512, 256, 128, 64, 32] as const;
const minWarnings = 3;
const ellipsis = '…';

const jsonBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;

/**
 * Cuts a text to `capBytes` bytes of JSON at a whole code point and adds an ellipsis. In JSON a control character
 * takes six bytes.
 */
export function cutText(text: string, capBytes: number): string {
  if (jsonBytes(text) <= capBytes) return text;
  const availableBytes = capBytes - Buffer.byteLength(ellipsis);
  let kept = '';
  let usedBytes = 0;
  for (const character of text) {
    usedBytes += jsonBytes(character);
    if (usedBytes > availableBytes) break;
    kept += character;
  }
  return kept + ellipsis;
}

/** Cuts texts for people; never ids, codes or numbers that programs compare. */
function cutTexts(snapshot: Snapshot, capBytes: number): Snapshot {
  const cut = (text: string): string => cutText(text, capBytes);
  const { subject, target, error, stateReason, warnings } = snapshot;
  const params = Object.entries(stateReason?.params ?? {}).map(
    ([key, value]) => [key, typeof value === 'string' ? cut(value) : value] as const,
  );
  return {
    ...snapshot,
    label: cut(snapshot.label),
    ownerName: cut(snapshot.ownerName),
    subject: { ...subject, name: cut(subject.name) },
    target: target === null ? null : { ...target, name: cut(target.name) },
    phases: snapshot.phases.map((phase) => ({ ...phase, name: cut(phase.name) })),
    warnings: warnings.slice(0, minWarnings).map(cut),
    stateReason:
      stateReason?.params === undefined
        ? stateReason
        : { ...stateReason, params: Object.fromEntries(params) },
    error:
      error === null
        ? null
        : {
            ...error,
            message: cut(error.message),
            hint: cut(error.hint),
            detail: error.detail === null ? null : cut(error.detail),
          },
  };
}

/**
 * Serialises a snapshot within {@link SNAPSHOT_BYTES}. Long texts are cut step by step; the record keeps the full
 * texts.
 *
 * @throws {ProgressError} `snapshot_too_large` if ids and codes alone do not fit
 */
export function serialiseSnapshot(snapshot: Snapshot): Buffer {
  let bytes = Buffer.from(JSON.stringify(snapshot));
  for (const capBytes of textCapsBytes) {
    if (bytes.length <= SNAPSHOT_BYTES) return bytes;
    bytes = Buffer.from(JSON.stringify(cutTexts(snapshot, capBytes)));
  }
  if (bytes.length <= SNAPSHOT_BYTES) return bytes;
  throw new ProgressError('snapshot_too_large', { detail: `${snapshot.id}: ${bytes.length} bytes` });
}
