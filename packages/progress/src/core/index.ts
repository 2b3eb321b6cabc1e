export type {
  OperationError,
  OperationState,
  Phase,
  PhaseName,
  Reference,
  Snapshot,
  StateReason,
} from './snapshot.ts';
export { ProgressError } from './errors.ts';
export type { ProgressErrorCode } from './errors.ts';
export { isTerminal } from './state-machine.ts';
export { isNewer } from './version.ts';
export { createOperationId } from './ids.ts';
export { createMeter } from './meter.ts';
export type { Meter, MeterOptions } from './meter.ts';
export { formatBytes, formatDuration, formatPercent, formatRate, percent } from './units.ts';
export { roundEta } from './eta.ts';
