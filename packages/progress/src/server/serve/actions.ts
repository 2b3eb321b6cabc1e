import type { Snapshot } from '@wcc/progress';
import { mayInState } from '@wcc/progress/protocol';
import type { OperationVerb, Rights } from '@wcc/progress/protocol';
import type { Refusal } from './answers.ts';

const verbs: readonly OperationVerb[] = ['cancel', 'pause', 'resume', 'retry'];

export interface ActionRules<V> {
  canAct(visitor: V, verb: OperationVerb, snapshot: Snapshot): boolean;
  onAction: ((id: string, verb: OperationVerb, visitor: V) => unknown) | undefined;
  /** Finds an operation that the visitor may watch; takes the same time for unknown and forbidden ones. */
  find(id: string, visitor: V): Promise<Snapshot | undefined>;
  onError(error: unknown): void;
}

/** What a visitor may do, as the pages show it. */
export function rightsOf<V>(rules: ActionRules<V>, visitor: V, snapshot: Snapshot): Rights {
  if (rules.onAction === undefined) return {};
  return Object.fromEntries(verbs.map((verb) => [verb, rules.canAct(visitor, verb, snapshot)]));
}

/** Runs an action. Unknown, unwatchable and forbidden are the same refusal. */
export async function runAction<V>(
  rules: ActionRules<V>,
  { id, verb: name, visitor }: { id: string; verb: string; visitor: V },
): Promise<Refusal | null> {
  const snapshot = await rules.find(id, visitor);
  const verb = verbs.find((each) => each === name);
  if (rules.onAction === undefined || snapshot === undefined || verb === undefined) return 'not_found';
  if (!rules.canAct(visitor, verb, snapshot)) return 'not_found';
  if (!mayInState(snapshot, verb)) return 'not_in_state';
  try {
    await rules.onAction(id, verb, visitor);
    return null;
  } catch (error) {
    rules.onError(error);
    return 'action_failed';
  }
}
