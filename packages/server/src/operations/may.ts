import type { May } from '@wcc/api';
import { operationActions } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { mayInState } from '@wcc/progress';
import type { Principal } from '../access/principal.ts';
import { can } from '../access/rules.ts';

/** What this principal may do with an operation now: its rights and what the state admits. */
export function mayOperate(
  principal: Principal,
  snapshot: Pick<Snapshot, 'state' | 'action' | 'owner'>,
): May {
  const controls = can(principal, 'operation.control', { owner: snapshot.owner });
  return {
    cancel: controls && mayInState(snapshot, 'cancel'),
    pause: controls && mayInState(snapshot, 'pause'),
    resume: controls && mayInState(snapshot, 'resume'),
    retry: controls && isOwnAction(snapshot.action) && mayInState(snapshot, 'retry'),
    share: can(principal, 'operation.share', { owner: snapshot.owner }),
  };
}

/** What another program did, only that program can do again. */
function isOwnAction(action: string): boolean {
  return operationActions.some((name) => name === action);
}
