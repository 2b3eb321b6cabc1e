import { actionName } from '@wcc/progress/element';
import type { OperationState, Phase, Snapshot } from '@wcc/progress';
import type { Locale, Text } from '../text/text.ts';
import type { OperationEntry } from './operations-state.ts';

export interface News {
  text: string;
  /** A failure of one's own work interrupts what a screen reader says. */
  isAlert: boolean;
}

export interface NewsContext {
  text: Text;
  locale: Locale;
  /** Id of the user who looks. */
  userId: string;
  /** Whether this page sends the file of an upload. */
  isFed: (id: string) => boolean;
  explain: (error: NonNullable<Snapshot['error']>) => string;
}

const longMs = 60_000;

/** What changed between two states of an operation that is worth saying, or `null`. */
export function newsOf(
  entry: OperationEntry,
  before: OperationEntry | undefined,
  context: NewsContext,
): News | null {
  const { snapshot } = entry;
  const isOwn = snapshot.owner === context.userId;
  // What already ran when the page was opened is read by whoever wants to know.
  if (before === undefined || !isOwn) return null;
  const what = whatOf(snapshot, context);
  const { news } = context.text;
  if (entry.isUnknown) return { text: news.unknown(what), isAlert: false };
  if (snapshot.state === 'failed' && before.snapshot.state !== 'failed') {
    const why = snapshot.error === null ? '' : context.explain(snapshot.error);
    return { text: news.failed(what, why), isAlert: true };
  }
  const said = changeOf(snapshot, before.snapshot, context);
  return said === null ? null : { text: said, isAlert: false };
}

type Language = Pick<NewsContext, 'text' | 'locale' | 'isFed'>;

/** An operation in the middle of a sentence. */
export function whatOf(
  { action, subject, target }: Snapshot,
  { text, locale }: Pick<NewsContext, 'text' | 'locale'>,
): string {
  if (action === 'make_sample_image') return text.news.making(target?.name ?? subject.name);
  if (action === 'copy_vm_image') return text.news.copyOf(subject.name, target?.name ?? subject.name);
  return `${actionName(action, locale)} ${subject.name}`;
}

function changeOf(next: Snapshot, before: Snapshot, language: Language): string | null {
  const what = whatOf(next, language);
  const { text } = language;
  if (next.state !== before.state) return stateNews(next, before.state, language);
  if (next.stalled && !before.stalled) return text.news.stalled(what);
  const quarter = quarterOf(next);
  const isLong = next.elapsedMs + (next.etaMs ?? 0) > longMs;
  if (!isLong || next.phaseIndex !== before.phaseIndex || quarter <= quarterOf(before)) return null;
  return text.news.quarter(what, `${quarter * 25} %`);
}

function stateNews(next: Snapshot, before: OperationState, language: Language): string | null {
  const what = whatOf(next, language);
  const { news } = language.text;
  switch (next.state) {
    case 'running':
      return before === 'queued' ? news.started(what) : news.resumed(what);
    case 'paused':
    case 'cancelling':
    case 'cancelled':
    case 'succeeded':
      return news[next.state](what);
    case 'interrupted':
      if (next.stateReason?.code === 'waiting_for_client')
        return language.isFed(next.id) ? null : news.waitsForFile(what);
      // Whether another program goes on, nobody here can promise.
      return next.stateReason?.code === 'publisher_silent' ? news.silent(what) : news.interrupted(what);
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
