/**
 * What a row says, without the row: pure functions that need no DOM. For a command line, or whoever draws
 * the bar in another way, so that all of them tell an operation in the same words.
 */
export { describeRow } from './describe.ts';
export type { RowBar, RowContext, RowLook, RowView } from './row-view.ts';
export { actionName, durationText, phaseName, reasonText, warningText } from './text/names.ts';
export { textOf } from './text/catalogue.ts';
export type { Locale, RowText } from './text/row-text.ts';
