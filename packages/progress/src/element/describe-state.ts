import type { OperationState, Snapshot } from '../core/snapshot.ts';
import { percentText } from './describe-bar.ts';
import { currentPhase, joinParts } from './row-view.ts';
import type { RowContext } from './row-view.ts';
import { nameOf, reasonOf, warningOf } from './text/names.ts';

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
  if (context.isGone) {
    const seen = percentText(snapshot, context);
    return stateText(joinParts(context, [text.gone, seen !== '' && text.lastSeenAt(seen)]));
  }
  return byState[snapshot.state](snapshot, context);
}

type Describe = (snapshot: Snapshot, context: RowContext) => StateText;

const byState: Readonly<Record<OperationState, Describe>> = {
  queued: (snapshot, context) =>
    stateText(joinParts(context, [context.text.states.queued, queueTextOf(snapshot, context)])),
  running: (snapshot, context) => stateText(runningStatus(snapshot, context), savings(snapshot, context)),
  paused: (snapshot, context) =>
    stateText(joinParts(context, [pausedStatus(snapshot, context), reasonOf(context, snapshot.stateReason)])),
  cancelling: (snapshot, { text }) =>
    // After an ellipsis the remark continues the sentence.
    stateText(`${text.states.cancelling} ${text.remark(snapshot)}`.trimEnd()),
  cancelled: (snapshot, context) =>
    stateText(joinParts(context, [cancelledStatus(snapshot, context), context.text.remark(snapshot)])),
  interrupted: (snapshot, context) =>
    stateText(joinParts(context, [interruptedStatus(snapshot, context), context.text.remark(snapshot)])),
  succeeded,
  failed,
};

function runningStatus(snapshot: Snapshot, context: RowContext): string {
  const { text, format, isOnline, sinceReceiptMs } = context;
  const phase = currentPhase(snapshot);
  if (phase === undefined) return text.states.running;
  const step = stepOf(snapshot, context);
  const sinceMs = snapshot.sinceProgressMs + (isOnline ? sinceReceiptMs : 0);
  const stall = snapshot.stalled && text.noProgress(text.duration(sinceMs, format));
  return joinParts(context, [step, nameOf(text.phases, phase.name), stall]);
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
  const reason = reasonOf(context, snapshot.stateReason);
  if (place === '') return reason;
  return reason === '' ? place : `${place} (${reason})`;
}

function pausedStatus(snapshot: Snapshot, context: RowContext): string {
  const { text } = context;
  const at = percentText(snapshot, context);
  return at === '' ? text.states.paused : text.pausedAt(at);
}

function interruptedStatus(snapshot: Snapshot, context: RowContext): string {
  const { text } = context;
  const { stateReason } = snapshot;
  // Shows a time only after a crash: the time when the server detected the crash.
  if (stateReason?.code === 'server_restarted') return text.restarted(clockOf(snapshot, context));
  return reasonOf(context, stateReason) || text.states.interrupted;
}

function cancelledStatus(snapshot: Snapshot, { text, format }: RowContext): string {
  const written = snapshot.bytes?.written ?? 0;
  return written > 0 ? text.cancelledAfter(format.size(written)) : text.states.cancelled;
}

function savings(snapshot: Snapshot, { text, format }: RowContext): string[] {
  const { skipped = 0, shared = 0 } = snapshot.bytes ?? {};
  return [
    skipped > 0 ? text.skipped(format.size(skipped)) : '',
    shared > 0 ? text.shared(format.size(shared)) : '',
  ];
}

function succeeded(snapshot: Snapshot, context: RowContext): StateText {
  const { text, format } = context;
  const { bytes, method, warnings, stateReason } = snapshot;
  const took = text.duration(snapshot.elapsedMs, format);
  const warned = warnings.map((code) => warningOf(text, code)).join('; ');
  const detail = [reasonOf(context, stateReason), warned === '' ? '' : `${text.doneBut} ${warned}`];
  const written = bytes === null ? '' : text.written(format.size(bytes.written));
  const isClone = method === 'clone' && bytes !== null;
  const parts = isClone
    ? [text.cloneIn(took), written, text.shares(format.size(bytes.shared))]
    : [text.doneIn(took), written, ...savings(snapshot, context)];
  return stateText(joinParts(context, parts), detail);
}

function failed({ error }: Snapshot, context: RowContext): StateText {
  const { text, isolate } = context;
  if (error === null) return stateText(text.states.failed);
  const { message, hint } = text.error(error);
  const status = joinParts(context, [text.states.failed, isolate(message)]);
  return { status, detail: [], hint: isolate(hint), code: error.code };
}

/** The server's time of the snapshot, in the reader's time zone. */
function clockOf(snapshot: Snapshot, { format }: RowContext): string {
  const at = new Date(snapshot.at);
  if (Number.isNaN(at.getTime())) return snapshot.at;
  return new Intl.DateTimeFormat(format.tag, { hour: 'numeric', minute: '2-digit' }).format(at);
}
