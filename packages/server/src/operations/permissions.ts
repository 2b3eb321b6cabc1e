import type { GrantLevel, May } from '@wcc/api';
import { operationActions } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { mayInState } from '@wcc/progress';
import type { Principal } from '../access/principal.ts';
import { can } from '../access/rules.ts';

/** What this principal may do with an operation now: its rights and what the state admits. */
export function mayOperate(
  principal: Principal,
  snapshot: Pick<Snapshot, 'id' | 'state' | 'action' | 'owner'>,
  granted: GrantLevel | null,
): May {
  const subject = { owner: snapshot.owner, operationId: snapshot.id, granted };
  const controls = can(principal, 'operation.control', subject);
  return {
    cancel: controls && mayInState(snapshot, 'cancel'),
    pause: controls && mayInState(snapshot, 'pause'),
    resume: controls && mayInState(snapshot, 'resume'),
    retry: controls && isOwnAction(snapshot.action) && mayInState(snapshot, 'retry'),
    share: can(principal, 'operation.share', subject),
  };
}

/** What another program did, only that program can do again. */
function isOwnAction(action: string): boolean {
  return operationActions.some((name) => name === action);
}
