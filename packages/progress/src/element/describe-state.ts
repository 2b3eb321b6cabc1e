import type { OperationState, Snapshot } from '../core/snapshot.ts';
import { formatBytes } from '../core/units.ts';
import { percentDone, percentText } from './describe-bar.ts';
import { currentPhase, isFullPhase, isWaitingForFile, joinParts } from './row-view.ts';
import type { RowContext } from './row-view.ts';
import { isOwnAction, nameOf, warningOf } from './text/catalogue.ts';

export interface StateText {
  /** Line 2. */
  status: string;
  /** Parts of line 5 that belong to the state. */
  detail: string[];
  hint: string;
  code: string;
}

const stateText = (status: string, detail: string[] = []): StateText => ({
  status,
  detail,
  hint: '',
  code: '',
});

/** The texts of a row that depend on its state. */
export function describeState(snapshot: Snapshot, context: RowContext): StateText {
  const { text } = context;
  if (context.isUnknown) {
    const seen = percentText(snapshot, text);
    return stateText(joinParts(text, [text.unknown, seen !== '' && text.lastSeenAt(seen)]));
  }
  return byState[snapshot.state](snapshot, context);
}

type Describe = (snapshot: Snapshot, context: RowContext) => StateText;

const byState: Readonly<Record<OperationState, Describe>> = {
  queued: (snapshot, context) =>
    stateText(joinParts(context.text, [context.text.states.queued, queueTextOf(snapshot, context)])),
  running: (snapshot, context) => stateText(runningStatus(snapshot, context), savings(snapshot, context)),
  paused: (snapshot, context) =>
    stateText(joinParts(context.text, [pausedStatus(snapshot, context), reasonOf(snapshot, context)])),
  cancelling: (snapshot, { text }) =>
    stateText(isOwnAction(text, snapshot.action) ? text.states.cancelling : text.cancellingElsewhere),
  cancelled: (snapshot, context) => {
    const { text } = context;
    const isClean = isOwnAction(text, snapshot.action) && text.nothingLeft;
    return stateText(joinParts(text, [cancelledStatus(snapshot, context), isClean]));
  },
  interrupted: (snapshot, context) => stateText(interruptedStatus(snapshot, context)),
  succeeded,
  failed,
};

function runningStatus(snapshot: Snapshot, context: RowContext): string {
  const { text, isOnline, sinceReceiptMs } = context;
  const phase = currentPhase(snapshot);
  if (phase === undefined) return text.states.running;
  const step = stepOf(snapshot, context);
  const sinceMs = snapshot.sinceProgressMs + (isOnline ? sinceReceiptMs : 0);
  const stall = snapshot.stalled && text.noProgress(text.duration(sinceMs));
  return joinParts(text, [step, nameOf(text.phases, phase.name), stall]);
}

/** The number of the current phase; skipped phases do not count. */
function stepOf(snapshot: Snapshot, { text }: RowContext): string {
  const isCounted = (phase: Snapshot['phases'][number]): boolean => phase.state !== 'skipped';
  const count = snapshot.phases.filter(isCounted).length;
  const index = snapshot.phases.slice(0, snapshot.phaseIndex + 1).filter(isCounted).length;
  return count > 1 && index > 0 ? text.step(index, count) : '';
}

function queueTextOf(snapshot: Snapshot, context: RowContext): string {
  const place = snapshot.queuePosition === null ? '' : context.text.queuePosition(snapshot.queuePosition);
  const reason = reasonOf(snapshot, context);
  if (place === '') return reason;
  return reason === '' ? place : `${place} (${reason})`;
}

function pausedStatus(snapshot: Snapshot, { text }: RowContext): string {
  const at = percentText(snapshot, text);
  return at === '' ? text.states.paused : text.pausedAt(at);
}

function interruptedStatus(snapshot: Snapshot, context: RowContext): string {
  const { text } = context;
  if (isWaitingForFile(snapshot)) return waitingStatus(snapshot, context);
  const { code } = snapshot.stateReason ?? { code: 'server_restarted' };
  // Shows a time only after a crash: the time when the server detected the crash.
  const reason = code === 'server_restarted' ? '' : reasonOf(snapshot, context);
  const next = isOwnAction(text, snapshot.action) ? text.resumesAutomatically : text.resumesWithNextReport;
  return joinParts(text, [reason === '' ? text.restarted(clockOf(snapshot, context)) : reason, next]);
}

/**
 * Asks a user who can resume the upload to choose the file. Shows other users that the upload waits for its sender.
 */
function waitingStatus(snapshot: Snapshot, context: RowContext): string {
  const { text, offers } = context;
  const at = percentDone(snapshot) === 0 ? '' : percentText(snapshot, text);
  const name = snapshot.target?.name ?? snapshot.subject.name;
  const phase = currentPhase(snapshot);
  // The size distinguishes files of the same name.
  const size = isFullPhase(phase) && phase.total !== null ? ` (${formatBytes(phase.total)})` : '';
  if (offers.includes('choose')) return text.chooseAgain(name + size, at);
  return joinParts(text, [text.states.interrupted, reasonOf(snapshot, context)]);
}

/** The text of the reason; empty if the catalogue does not know its code. */
function reasonOf(snapshot: Snapshot, { text }: RowContext): string {
  const reason = snapshot.stateReason;
  if (reason === null || !Object.hasOwn(text.reasons, reason.code)) return '';
  return text.reasons[reason.code]?.(reason.params ?? {}) ?? '';
}

function cancelledStatus(snapshot: Snapshot, { text }: RowContext): string {
  const written = snapshot.bytes?.written ?? 0;
  return written > 0 ? text.cancelledAfter(formatBytes(written)) : text.states.cancelled;
}

function savings(snapshot: Snapshot, { text }: RowContext): string[] {
  const { skipped = 0, shared = 0 } = snapshot.bytes ?? {};
  return [
    skipped > 0 ? text.skipped(formatBytes(skipped)) : '',
    shared > 0 ? text.shared(formatBytes(shared)) : '',
  ];
}

function succeeded(snapshot: Snapshot, context: RowContext): StateText {
  const { text } = context;
  const took = text.duration(snapshot.elapsedMs);
  const late = reasonOf(snapshot, context);
  const warning =
    snapshot.warnings.length > 0
      ? `${text.doneBut} ${snapshot.warnings.map((code) => warningOf(text, code)).join('; ')}`
      : '';
  if (snapshot.method === 'clone' && snapshot.bytes !== null) {
    const shares = text.shares(formatBytes(snapshot.bytes.shared));
    const written = text.written(formatBytes(snapshot.bytes.written));
    return stateText(joinParts(text, [text.cloneIn(took), written, shares]), [late, warning]);
  }
  const written = snapshot.bytes === null ? '' : text.written(formatBytes(snapshot.bytes.written));
  return stateText(joinParts(text, [text.doneIn(took), written, ...savings(snapshot, context)]), [
    late,
    warning,
  ]);
}

function failed(snapshot: Snapshot, { text, explain }: RowContext): StateText {
  const { error } = snapshot;
  if (error === null) return stateText(text.states.failed);
  const { message, hint } = explain?.(error) ?? error;
  return { status: joinParts(text, [text.states.failed, message]), detail: [], hint, code: error.code };
}

/** The server's time of the snapshot, in the reader's time zone. */
function clockOf(snapshot: Snapshot, { locale }: RowContext): string {
  const at = new Date(snapshot.at);
  if (Number.isNaN(at.getTime())) return snapshot.at;
  return new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(at);
}
