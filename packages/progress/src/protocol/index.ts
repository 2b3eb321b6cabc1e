/**
 * What a server or client of the protocol `wcc.v1` needs beyond `@wcc/progress`: constants, messages, the parts of
 * a snapshot, the table of states. `docs/protocol.md` describes them.
 */
export * from '../core/protocol.ts';
export type { ByteCounts, EtaAbsence, PhaseState, PhaseUnit } from '../core/snapshot.ts';
export { assertTransition, mayInState, nextStates, operationStates } from '../core/state-machine.ts';
export type { OperationCapabilities, OperationVerb } from '../core/state-machine.ts';
export { isOperationId, isWatchableId } from '../core/ids.ts';
export { publicSnapshot } from '../core/public-snapshot.ts';
export type { SnapshotView } from '../core/public-snapshot.ts';
export type { Version } from '../core/version.ts';
export { progressErrors } from '../core/errors.ts';
