import { isTerminal, mayInState } from '../core/state-machine.ts';
import type { OperationVerb } from '../core/state-machine.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { isWarned } from './row-view.ts';
import type { RowContext } from './row-view.ts';

/** Verbs that the server handles, in the order of their buttons. */
const serverVerbs: readonly OperationVerb[] = ['retry', 'resume', 'pause', 'cancel'];

/** Verbs that the page handles. They need no server, so their buttons work while offline. */
const pageVerbs: readonly string[] = ['open', 'details', 'dismiss'];

/** True if the button of the verb works without a connection. */
export function worksOffline(verb: string): boolean {
  return pageVerbs.includes(verb);
}

/**
 * The buttons for this state among the given actions, in their order. Verbs that the row does not know have a button
 * in every state; the page removes them when they do not apply.
 */
export function verbsOf(snapshot: Snapshot, { actions, isGone }: RowContext): string[] {
  const given = Object.entries(actions ?? {}).flatMap(([verb, value]) =>
    value === true || (typeof value === 'string' && value !== '') ? [verb] : [],
  );
  const isKnown = (verb: string): boolean => [...pageVerbs, ...serverVerbs].includes(verb);
  const others = isGone ? [] : given.filter((verb) => !isKnown(verb));
  const order = ['open', ...others, 'details', ...serverVerbs, 'dismiss'];
  return order.filter(
    (verb) => given.includes(verb) && (others.includes(verb) || applies(verb, snapshot, isGone)),
  );
}

function applies(verb: string, snapshot: Snapshot, isGone: boolean): boolean {
  const { state } = snapshot;
  if (verb === 'dismiss') return isGone || isTerminal(state);
  // The operation's page shows the reasons of a failure, a stall or a warning.
  if (verb === 'details') return state === 'failed' || snapshot.stalled || isWarned(snapshot);
  if (isGone) return false;
  if (verb === 'open') return state === 'succeeded' && snapshot.result !== null;
  // A second cancel would have no effect, so a cancelling operation has no button for it.
  return state !== 'cancelling' && mayInState(snapshot, verb as OperationVerb);
}
