export type * from './snapshot.ts';
export { PROGRESS_ERRORS, ProgressError } from './errors.ts';
export type { ProgressErrorCode, ProgressErrorOptions } from './errors.ts';
export {
  OPERATION_STATES,
  assertTransition,
  isTerminal,
  mayInState,
  nextStates,
  pausableActions,
} from './state-machine.ts';
export type { OperationVerb } from './state-machine.ts';
export { createOperationId, isOperationId, label } from './ids.ts';
export { createMeter } from './meter.ts';
export type { Meter, MeterContext, MeterOptions, MeterReading, MeterSample } from './meter.ts';
export { formatBytes, formatDuration, formatPercent, formatRate, percent } from './units.ts';
export type { FormatBytesOptions } from './units.ts';
export { roundEta } from './eta.ts';
export type { RoundedEta } from './eta.ts';
export { publicSnapshot } from './public-snapshot.ts';
export type { SnapshotView } from './public-snapshot.ts';
export { isNewer } from './version.ts';
export type { Version } from './version.ts';
export * from './protocol.ts';
