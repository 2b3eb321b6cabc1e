import type { Snapshot } from '@wcc/progress';
import { operationActions } from '../vocabulary.ts';

type Remarks = Readonly<Record<'cancelling' | 'cancelled' | 'interrupted', string>>;

/** Remarks by who runs the operation: wcc itself, or another program that reports it. */
export interface RemarkTexts {
  own: Remarks;
  published: Remarks;
}

/**
 * What happens next. wcc cleans up and resumes only its own operations; a program that publishes an operation does
 * that itself.
 */
export function createRemark({ own, published }: RemarkTexts): (snapshot: Snapshot) => string {
  return ({ action, state, stateReason }) => {
    if (state !== 'cancelling' && state !== 'cancelled' && state !== 'interrupted') return '';
    // An upload resumes only when its sender resumes.
    if (state === 'interrupted' && stateReason?.code === 'waiting_for_client') return '';
    const isOwn = operationActions.some((name) => name === action);
    return (isOwn ? own : published)[state];
  };
}
