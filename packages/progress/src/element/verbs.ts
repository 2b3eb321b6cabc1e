import { mayInState } from '../core/state-machine.ts';
import type { OperationVerb } from '../core/state-machine.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { isTerminal } from '../core/state-machine.ts';
import { isWaitingForFile, isWarned, noteFor } from './row-view.ts';
import type { RowContext } from './row-view.ts';
import type { RowVerb } from './text/row-text.ts';

const serverVerbs: readonly OperationVerb[] = ['retry', 'resume', 'pause', 'cancel'];

/** Buttons that make sense now: in this state, for this user, on this page. */
export function verbsOf(snapshot: Snapshot, context: RowContext): RowVerb[] {
  const { may, offers, isUnknown } = context;
  const noted = noteFor(snapshot, context)?.verbs ?? [];
  const page = offers.filter((verb) => noted.includes(verb) || pageVerbFits(verb, snapshot, isUnknown));
  if (isUnknown) return page;
  // Cancelling is idempotent on the server; a second button press would only look as if it did something.
  const isEnding = snapshot.state === 'cancelling';
  const server = serverVerbs.filter(
    (verb) => !isEnding && may?.[verb] === true && mayInState(snapshot, verb),
  );
  return [...page, ...server];
}

function pageVerbFits(verb: RowVerb, snapshot: Snapshot, isUnknown: boolean): boolean {
  if (verb === 'open') return !isUnknown && snapshot.state === 'succeeded' && snapshot.result !== null;
  if (verb === 'dismiss') return isUnknown || isTerminal(snapshot.state);
  if (verb === 'choose') return !isUnknown && isWaitingForFile(snapshot);
  // Everything else is said in the row itself; the page of the operation has the reasons.
  return verb === 'details' && (snapshot.state === 'failed' || snapshot.stalled || isWarned(snapshot));
}
