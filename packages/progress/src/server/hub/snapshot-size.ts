import type { Snapshot } from '@wcc/progress';
import { ProgressError } from '@wcc/progress';
import { maxSnapshotBytes } from '@wcc/progress/protocol';

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
    title: snapshot.title === null ? null : cut(snapshot.title),
    ownerName: cut(snapshot.ownerName),
    host: snapshot.host === null ? null : cut(snapshot.host),
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

/** How many phases before and after the current one remain, tried in order. */
const phasesAround = [8, 4, 0] as const;

/** Keeps the phases near the current one: an operation that names each of its files has any number of phases. */
function cutPhases(snapshot: Snapshot, around: number): Snapshot {
  const { phases, phaseIndex } = snapshot;
  const first = Math.max(0, phaseIndex - around);
  const kept = phases.slice(first, Math.max(0, phaseIndex) + around + 1);
  return { ...snapshot, phases: kept, phaseIndex: phaseIndex === -1 ? -1 : phaseIndex - first };
}

/** JSON has no BigInt, which a store may use for its keys. */
const withoutBigInt = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value;

const toBytes = (snapshot: Snapshot): Buffer => Buffer.from(JSON.stringify(snapshot, withoutBigInt));

/** The snapshot, and then shorter and shorter forms of it. */
function* formsOf(snapshot: Snapshot): Iterable<Snapshot> {
  yield snapshot;
  for (const capBytes of textCapsBytes) yield cutTexts(snapshot, capBytes);
  const shortest = cutTexts(snapshot, textCapsBytes.at(-1) ?? 0);
  for (const around of phasesAround) yield cutPhases(shortest, around);
}

/**
 * Serialises a snapshot within {@link maxSnapshotBytes}. Long texts are cut step by step, then the phases that are
 * far from the current one are left out; the record keeps everything.
 *
 * @throws {ProgressError} `snapshot_too_large` if ids and codes alone do not fit
 */
export function serialiseSnapshot(snapshot: Snapshot): Buffer {
  let bytes: Buffer = Buffer.alloc(0);
  for (const form of formsOf(snapshot)) {
    bytes = toBytes(form);
    if (bytes.length <= maxSnapshotBytes) return bytes;
  }
  throw new ProgressError('snapshot_too_large', { detail: `${snapshot.id}: ${bytes.length} bytes` });
}
