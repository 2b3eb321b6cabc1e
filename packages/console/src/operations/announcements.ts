import type { OperationState, Phase, Snapshot } from '@wcc/progress';
import { actionName } from '../text/operation-names.ts';
import type { Locale } from '../text/text.ts';
import type { OperationEntry } from './operation-entry.ts';
import { operationsTextOf } from './text/catalogue.ts';
import type { AnnouncementsText } from './text/text.ts';

export interface Announcement {
  text: string;
  /** A failure of the user's own operation interrupts the screen reader. */
  isAlert: boolean;
}

export interface AnnouncementContext {
  locale: Locale;
  /** Id of the signed-in user. */
  userId: string;
  /** Whether this page sends the file of an upload. */
  isSending: (id: string) => boolean;
  explain: (error: NonNullable<Snapshot['error']>) => string;
}

/** Quarters are announced only for operations that take longer. */
const longMs = 60_000;

/** What to announce about a change of an operation; `null` for nothing. */
export function announcementOf(
  entry: OperationEntry,
  before: OperationEntry | undefined,
  context: AnnouncementContext,
): Announcement | null {
  const { snapshot } = entry;
  // Does not announce operations that existed when the page was opened.
  if (before === undefined || snapshot.owner !== context.userId) return null;
  const name = spokenName(snapshot, context.locale);
  const text = textOf(context.locale);
  if (entry.isUnknown) return { text: text.unknown(name), isAlert: false };
  if (snapshot.state === 'failed' && before.snapshot.state !== 'failed') {
    const why = snapshot.error === null ? '' : context.explain(snapshot.error);
    return { text: text.failed(name, why), isAlert: true };
  }
  const change = changeOf(snapshot, before.snapshot, context);
  return change === null ? null : { text: change, isAlert: false };
}

type ChangeContext = Pick<AnnouncementContext, 'locale' | 'isSending'>;

function textOf(locale: Locale): AnnouncementsText {
  return operationsTextOf({ locale }).announcements;
}

/** An operation's name inside a sentence. */
export function spokenName({ action, subject, target }: Snapshot, locale: Locale): string {
  const text = textOf(locale);
  if (action === 'make_sample_image') return text.making(target?.name ?? subject.name);
  if (action === 'copy_vm_image') return text.copyOf(subject.name, target?.name ?? subject.name);
  return `${actionName(action, locale)} ${subject.name}`;
}

function changeOf(next: Snapshot, before: Snapshot, context: ChangeContext): string | null {
  if (next.state !== before.state) return stateChange(next, before.state, context);
  const name = spokenName(next, context.locale);
  const text = textOf(context.locale);
  if (next.stalled && !before.stalled) return text.stalled(name);
  const quarter = quarterOf(next);
  const isLong = next.elapsedMs + (next.etaMs ?? 0) > longMs;
  if (!isLong || next.phaseIndex !== before.phaseIndex || quarter <= quarterOf(before)) return null;
  return text.quarter(name, `${quarter * 25} %`);
}

function stateChange(
  next: Snapshot,
  before: OperationState,
  { locale, isSending }: ChangeContext,
): string | null {
  const name = spokenName(next, locale);
  const text = textOf(locale);
  switch (next.state) {
    case 'running':
      return before === 'queued' ? text.started(name) : text.resumed(name);
    case 'paused':
    case 'cancelling':
    case 'cancelled':
    case 'succeeded':
      return text[next.state](name);
    case 'interrupted':
      if (next.stateReason?.code === 'waiting_for_client')
        return isSending(next.id) ? null : text.waitsForFile(name);
      // The text does not promise that another program resumes.
      return next.stateReason?.code === 'publisher_silent' ? text.silent(name) : text.interrupted(name);
    case 'queued':
    case 'failed':
    default:
      return null;
  }
}

function quarterOf(snapshot: Snapshot): number {
  const phase = snapshot.phases[snapshot.phaseIndex];
  if (phase === undefined || !isCounted(phase) || phase.total === null || phase.total <= 0) return 0;
  return Math.min(3, Math.floor((phase.done / phase.total) * 4));
}

function isCounted(phase: Snapshot['phases'][number]): phase is Phase {
  return 'done' in phase;
}
