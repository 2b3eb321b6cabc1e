import type { GrantLevel, May } from '@wcc/api';
import { operationActions } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { OperationCapabilities } from '@wcc/progress/protocol';
import { mayInState } from '@wcc/progress/protocol';
import type { Principal } from '../access/principal.ts';
import { can } from '../access/rules.ts';
import type { Action } from './action.ts';

export interface MayOptions {
  granted: GrantLevel | null;
  capabilities: OperationCapabilities;
}

/** The controls that an action supports. Only the client can repeat a client-driven operation. */
export function capabilitiesOf(action: Action | undefined): OperationCapabilities {
  const canPause = action?.canPause ?? false;
  return {
    canPause,
    canResume: canPause || action?.resumesAfterFailure === true,
    canRetry: action?.clientDriven === undefined,
  };
}

/** What this principal may do with an operation now, by rights, state and capabilities. */
export function mayOperate(
  principal: Principal,
  snapshot: Pick<Snapshot, 'id' | 'state' | 'action' | 'owner'>,
  { granted, capabilities }: MayOptions,
): May {
  const subject = { owner: snapshot.owner, operationId: snapshot.id, granted };
  const controls = can(principal, 'operation.control', subject);
  return {
    cancel: controls && mayInState(snapshot, 'cancel', capabilities),
    pause: controls && mayInState(snapshot, 'pause', capabilities),
    resume: controls && mayInState(snapshot, 'resume', capabilities),
    retry: controls && isOwnAction(snapshot.action) && mayInState(snapshot, 'retry', capabilities),
    share: can(principal, 'operation.share', subject),
  };
}

/** Only its program can repeat a published operation. */
function isOwnAction(action: string): boolean {
  return operationActions.some((name) => name === action);
}
