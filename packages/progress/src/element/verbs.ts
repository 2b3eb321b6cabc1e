import { mayInState } from '../core/state-machine.ts';
import type { OperationVerb } from '../core/state-machine.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { isTerminal } from '../core/state-machine.ts';
import { isWaitingForFile, isWarned, noteFor } from './row-view.ts';
import type { RowContext } from './row-view.ts';
import type { RowVerb } from './text/row-text.ts';

const serverVerbs: readonly OperationVerb[] = ['retry', 'resume', 'pause', 'cancel'];

/** The buttons for this state, this user and this page. */
export function verbsOf(snapshot: Snapshot, context: RowContext): RowVerb[] {
  const { may, offers, isUnknown } = context;
  const noted = noteFor(snapshot, context)?.verbs ?? [];
  const page = offers.filter((verb) => noted.includes(verb) || pageVerbApplies(verb, snapshot, isUnknown));
  if (isUnknown) return page;
  // A second cancel would have no effect, so a cancelling operation has no button for it.
  const isEnding = snapshot.state === 'cancelling';
  const server = serverVerbs.filter(
    (verb) => !isEnding && may?.[verb] === true && mayInState(snapshot, verb),
  );
  return [...page, ...server];
}

function pageVerbApplies(verb: RowVerb, snapshot: Snapshot, isUnknown: boolean): boolean {
  if (verb === 'open') return !isUnknown && snapshot.state === 'succeeded' && snapshot.result !== null;
  if (verb === 'dismiss') return isUnknown || isTerminal(snapshot.state);
  if (verb === 'choose') return !isUnknown && isWaitingForFile(snapshot);
  // The operation's page shows the reasons of a failure, a stall or a warning.
  return verb === 'details' && (snapshot.state === 'failed' || snapshot.stalled || isWarned(snapshot));
}
