export { WccProgressElement } from './progress-element.ts';
export type { ProgressActionDetail, ProgressStateDetail } from './progress-element.ts';
export { actionName, durationText, phaseName, reasonText, warningText } from './text/names.ts';
export type { RowNote } from './row-view.ts';
export type { Locale, RowVerb } from './text/row-text.ts';
export type { Snapshot } from '../core/snapshot.ts';
