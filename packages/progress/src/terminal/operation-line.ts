import type { Snapshot } from '../core/snapshot.ts';
import { describeRow } from '../element/describe.ts';
import type { FeedState, RowView } from '../element/row-view.ts';
import type { TerminalLine } from './draw-line.ts';

/** Options of {@link operationLine}. */
export interface OperationLineOptions {
  /** BCP 47 tag. @default 'en' */
  locale?: string;
  /** @default 'online' */
  connection?: FeedState;
  /** Time since the snapshot arrived. @default 0 */
  sinceReceiptMs?: number;
}

/** The progress line of an operation. It omits the owner and the running time, because the reader waits for it. */
export function operationLine(snapshot: Snapshot, options: OperationLineOptions = {}): TerminalLine {
  const row = describeRow({ ...snapshot, ownerName: '', elapsedMs: 0 }, options);
  const bar = row.bar === 'hidden' ? null : row.bar;
  return {
    id: snapshot.id,
    key: changeKeyOf(snapshot, options.connection ?? 'online'),
    name: namesOf(row),
    value: bar?.value ?? null,
    percent: row.percent,
    parts: [row.status, ...row.numbers.split(' · '), row.detail],
    look: row.look,
  };
}

/** Subject and target, e.g. `debian-13.raw → web-07.raw`; the title of an operation without a subject. */
function namesOf({ title, subject, target }: RowView): string {
  if (subject === '') return title;
  return target === null ? subject : `${subject} → ${target}`;
}

/** The last line of an operation: how it ended. */
export function endText(snapshot: Snapshot, locale: string): string {
  const row = describeRow({ ...snapshot, ownerName: '' }, { locale });
  const names = row.subject === '' ? '' : ` ${namesOf(row)}`;
  return `${row.title}${names}: ${[row.status, row.detail, row.hint].filter(Boolean).join(' · ')}`;
}

function changeKeyOf({ state, stateReason, phases, phaseIndex }: Snapshot, connection: FeedState): string {
  // Ignores phases shorter than a second, so that they do not print a line.
  const phase = phases?.[phaseIndex];
  const lasts = state === 'running' && (phase?.elapsedMs ?? 0) >= 1000 ? phase?.name : '';
  return [state, stateReason?.code ?? '', lasts ?? '', connection].join('/');
}
